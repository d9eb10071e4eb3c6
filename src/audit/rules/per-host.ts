import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { Found } from './contract.ts';

/** What is wrong on each machine, with the name of the machine. */
export function perHost(
  hosts: readonly ObservedHost[],
  find: (host: ObservedHost) => readonly Found[],
): Found[] {
  return hosts.flatMap((host) => find(host).map((found) => ({ ...found, host: host.host })));
}
