/** Faults after which it is not known which containers there are. */
export const unasked = [
  'DOCKER_UNREACHABLE',
  'DOCKER_FORBIDDEN',
  'DOCKER_REFUSED',
  'BECOME_REFUSED',
] as const satisfies readonly string[];
