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
  { selector, template }: ForeignWorkload['spec'],
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
  return Object.keys(made).length === 0 ? null : { spec: { template: made } };
}

function only(
  all: Readonly<Record<string, unknown>>,
  holds: (name: string, value: unknown) => boolean,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(all).filter(([name, value]) => holds(name, value)));
}
