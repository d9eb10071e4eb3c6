import { expect, test } from 'vitest';
import { servedCluster } from '../../test/support/kube-server.ts';
import { waitsInFull } from './pod-warnings.ts';

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'a-1', uid: 'rs' };
const made = {
  deployment: { metadata: { name: 'a', uid: 'd', annotations: {} }, spec: {} },
  replicaSets: [{ metadata: { name: 'a-1', uid: 'rs', ownerReferences: [{ ...owner, uid: 'd' }] } }],
  pods: [
    {
      metadata: { name: 'a-1-x', uid: 'p', ownerReferences: [owner] },
      status: {
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            message: '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
          },
        ],
      },
    },
  ],
} as unknown as Parameters<typeof waitsInFull>[1];

const node = { metadata: { name: 'node1' }, spec: { taints: [{ key: 'node.kubernetes.io/disk-pressure' }] } };

test('a pod that no node takes is told with the taints of the nodes, which are asked for once', async () => {
  const { place, asked } = await servedCluster(() => [200, { items: [node] }]);
  for (let turn = 0; turn < 3; turn += 1)
    expect((await waitsInFull(place, made)).waits).toBe(
      'finds no node: 0/1 nodes are available: 1 node(s) had untolerated taint(s) (node1: node.kubernetes.io/disk-pressure)',
    );
  expect(asked.map(({ key }) => key)).toEqual(['GET /api/v1/nodes']);
});

test('who may not look at nodes is told what the cluster says', async () => {
  const { place } = await servedCluster(() => [403, { message: 'no' }]);
  expect((await waitsInFull(place, made)).waits).toMatch(/untolerated taint\(s\)$/);
});
