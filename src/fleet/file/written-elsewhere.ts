interface Elsewhere {
  /** Where it is looked for; `*` is any key. */
  readonly at: string;
  readonly cure: (key: string) => string;
}

const resourceKeys = ['memory', 'cpus', 'cpu', 'resources', 'limits', 'requests'];

/** Keys that people look for in another place than ours, with what says the same. */
const elsewhere: readonly Elsewhere[] = [
  ...resourceKeys.map((key) => ({
    at: `deployments.*.target.${key}`,
    cure: () =>
      'Write it beside target, which holds for every kind: resources: {requests: {cpu: 2, memory: 6Gi}, limits: {cpu: 4, memory: 12Gi}}.',
  })),
  {
    at: 'gateway.limits.*',
    cure: (model) =>
      `Known are bounds of the gateway itself. A rate of each instance, beyond which requests wait: deployments.${model}.limits: {rps: 5}. What all callers together may ask, beyond which they are refused: gateway.limits.models.${model}: {rpm: 300}.`,
  },
];

/** What to write in place of a key that means nothing where it stands; null: nothing is known of it. */
export function writtenElsewhere(path: readonly string[]): { cure: string; exact: boolean } | null {
  const found = elsewhere.find(({ at }) => {
    const steps = at.split('.');
    return steps.length === path.length && steps.every((step, i) => step === '*' || step === path[i]);
  });
  return found ? { cure: found.cure(path.at(-1) ?? ''), exact: !found.at.endsWith('*') } : null;
}
