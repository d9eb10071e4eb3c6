import { isWrittenSecret, secretByLooks } from '../../domain/command-line/written-secret.ts';
import type { ForeignEngine, ForeignWorkload } from '../../targets/kubernetes/foreign.ts';

/** What a fleet file has words for, or berth says itself, and what a cluster writes where nobody has said anything. */
const told = new Set([
  'containers',
  'initContainers',
  'volumes',
  'nodeSelector',
  'tolerations',
  'serviceAccount',
  'serviceAccountName',
  'imagePullSecrets',
  'terminationGracePeriodSeconds',
  'enableServiceLinks',
]);
const usual: Readonly<Record<string, unknown>> = {
  restartPolicy: 'Always',
  dnsPolicy: 'ClusterFirst',
  schedulerName: 'default-scheduler',
  securityContext: {},
};

/** Of the time of a restart alone. */
const passing = /(^|\/)restarted-?at$/i;

/** What a fleet file has no words for and a patch keeps; null: nothing. Pure. */
export function patchFor(
  { selector, strategy, template }: ForeignWorkload['spec'],
  { securityContext }: Pick<ForeignEngine, 'securityContext'>,
): Record<string, unknown> | null {
  const { labels, annotations } = template.metadata ?? {};
  const own = selector?.matchLabels ?? {};
  const more = only(labels ?? {}, (name) => own[name] === undefined);
  const notes = only(annotations ?? {}, (name) => !passing.test(name));
  const { runAsUser, runAsGroup, runAsNonRoot } = securityContext ?? {};
  const user = only({ runAsUser, runAsGroup, runAsNonRoot }, (_, value) => value !== undefined);
  const spec = only(
    template.spec,
    (name, value) => !told.has(name) && JSON.stringify(value) !== JSON.stringify(usual[name]),
  );
  const context = { ...(spec['securityContext'] as object | undefined), ...user };
  const metadata = {
    ...(Object.keys(more).length > 0 ? { labels: more } : {}),
    ...(Object.keys(notes).length > 0 ? { annotations: notes } : {}),
  };
  const pod = { ...spec, ...(Object.keys(context).length > 0 ? { securityContext: context } : {}) };
  const made = {
    ...(Object.keys(metadata).length > 0 ? { metadata } : {}),
    ...(Object.keys(pod).length > 0 ? { spec: pod } : {}),
  };
  const all = {
    ...rollingOf(strategy),
    ...(Object.keys(made).length > 0 ? { template: made } : {}),
  };
  return Object.keys(all).length === 0 ? null : { spec: all };
}

/** Of one pod: berth's own way is that the new one comes before the old one ends, which most say in other numbers. */
function rollingOf(strategy: ForeignWorkload['spec']['strategy']): Record<string, unknown> {
  const { maxSurge, maxUnavailable } = strategy?.rollingUpdate ?? {};
  if (
    strategy?.type === 'Recreate' ||
    (ofOnePod(maxSurge, Math.ceil) > 0 && ofOnePod(maxUnavailable, Math.floor) === 0)
  )
    return {};
  const stated = only({ maxSurge, maxUnavailable }, (_, value) => value !== undefined && value !== null);
  return { strategy: { rollingUpdate: stated } };
}

/** A cluster rounds up what comes beside, and down what may be missing; what nobody says is a quarter. */
function ofOnePod(part: number | string | null | undefined, round: (share: number) => number): number {
  return typeof part === 'number' ? part : round(Number.parseFloat(part ?? '25%') / 100);
}

/** What in a patch is a secret, by its name or its looks. Pure. */
export function secretIn(value: unknown, name = ''): string | null {
  if (typeof value === 'string')
    return secretByLooks(value) ?? (isWrittenSecret(name, value) ? `a secret (${name})` : null);
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, below] of Object.entries(value)) {
    const found = secretIn(below, key);
    if (found !== null) return found;
  }
  return null;
}

function only(
  all: Readonly<Record<string, unknown>>,
  holds: (name: string, value: unknown) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => holds(name, value)));
}
