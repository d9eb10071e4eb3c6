/** Any that no image has a user of; never root. The image of berth and what it writes on volumes belong to it. */
export const ownUser = 10_001;

/** What a pod of berth's own may be: its fixed user, or in a cluster that lets none be named (`anyUser`) the one that it is given. Pure. */
export function ownPodSecurity(anyUser: boolean): Record<string, unknown> {
  const fixed = { runAsUser: ownUser, runAsGroup: ownUser, fsGroup: ownUser };
  return { runAsNonRoot: true, ...(anyUser ? {} : fixed), seccompProfile: { type: 'RuntimeDefault' } };
}
