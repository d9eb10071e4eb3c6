import type { Instance, Mark } from '../../src/domain/instance.ts';
import type { startEngine } from '../../src/fleet/apply/start-engine.ts';
import { KubernetesOptions } from '../../src/targets/kubernetes/options.ts';
import { markText } from '../../src/kube/mark-text.ts';
import { markAnnotation } from '../../src/kube/names.ts';
import { bareSpec } from './bare-spec.ts';
import type { Asked } from './kube-server.ts';

/** The mark of a deployment "chat" in a cluster. */
export const podMark: Mark = {
  fleet: 'lab',
  fleetId: 'k3x9',
  deployment: 'chat',
  replica: 0,
  target: KubernetesOptions.parse({ kind: 'kubernetes', entrypoint: ['serve'] }),
  address: '0.0.0.0',
  port: 8080,
  logFile: '',
  declared: {},
  spec: bareSpec,
};

/** The same as it is seen in its cluster. */
export const podInstance: Instance = {
  host: 'local',
  object: { target: 'kubernetes', id: 'd', name: 'deployment chat' },
  alive: true,
  trouble: null,
  process: null,
  engine: 'vllm',
  model: null,
  owner: { kind: 'berth', name: 'lab/chat', user: null },
  endpoints: [],
  rssBytes: null,
  startedAt: null,
  mark: podMark,
};

/** What a server says of that Deployment, which has that mark, and of its one pod, which is as told; undefined to all else. */
export function podAnswer(
  { key }: Pick<Asked, 'key'>,
  status: object,
  mark: Mark = podMark,
): [number, unknown] | undefined {
  const deployment = {
    metadata: {
      ...owned('d'),
      name: 'chat',
      labels: ownLabels,
      annotations: { ...revision, [markAnnotation]: markText(mark) },
      generation: 1,
    },
    spec: { replicas: 1 },
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
  if (key.endsWith('/deployments/chat') && !key.startsWith('DELETE')) return [200, deployment];
  if (key.endsWith('/deployments')) return [200, { items: [deployment] }];
  if (key.startsWith('PATCH')) return [200, { metadata: { name: 'any', uid: 'any' } }];
  if (key.endsWith('/replicasets')) return [200, { items: [{ metadata: owned('set', 'd') }] }];
  if (key.endsWith('/pods')) return [200, { items: [{ metadata: owned('pod', 'set'), status }] }];
  return undefined;
}

const revision = { 'deployment.kubernetes.io/revision': '1' };
const ownLabels = { 'berth.dev/fleet': podMark.fleet, 'berth.dev/fleet-id': podMark.fleetId };

function owned(uid: string, owner?: string): object {
  const ownerReferences = owner === undefined ? [] : [{ kind: 'X', name: owner, uid: owner }];
  return { name: uid, uid, annotations: revision, ownerReferences };
}

/** How its engine is started where nobody keeps a journal. */
export const untold: Parameters<typeof startEngine>[2] = {
  withheld: [],
  hostName: 'k3s',
  journal: { record: (_effect, act) => act() },
};
