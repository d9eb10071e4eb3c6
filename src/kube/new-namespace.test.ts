import { expect, test } from 'vitest';
import { kubeFaults, specsFolder } from '../../test/support/kube-schema.ts';
import { servedCluster } from '../../test/support/kube-server.ts';
import { ClusterPlace } from '../domain/host-access.ts';
import { ensureNamespace, namespaceObjects } from './new-namespace.ts';

const { createNamespace } = ClusterPlace.parse({
  context: 'k3s',
  createNamespace: {
    labels: { 'modelmesh-enabled': 'false' },
    quota: { 'limits.memory': '64Gi', 'requests.nvidia.com/gpu': 4 },
    containers: { requests: { cpu: '100m' }, limits: { cpu: 2, memory: '4Gi' } },
  },
});
const wish = createNamespace === true || createNamespace === false ? {} : createNamespace;

test.skipIf(specsFolder === undefined)(
  'a strict API server takes the namespace, its quota and its usual amounts',
  () => {
    const { namespace, inside } = namespaceObjects('llm', wish);
    expect([namespace, ...inside].flatMap(kubeFaults)).toEqual([]);
    expect(inside.map(({ kind }) => kind)).toEqual(['ResourceQuota', 'LimitRange']);
    expect(inside[0]?.['spec']).toEqual({
      hard: { 'limits.memory': '64Gi', 'requests.nvidia.com/gpu': '4' },
    });
  },
);

function live(body: unknown): unknown {
  const { metadata } = body as { metadata: object };
  return { metadata: { ...metadata, uid: 'u' } };
}

test('one that is missing is made with all that it is to have', async () => {
  const { place, asked } = await servedCluster(({ key, body }) =>
    key.startsWith('GET') ? undefined : [201, live(body)],
  );
  await ensureNamespace(place, wish);
  const made = asked.filter(({ key }) => !key.startsWith('GET'));
  expect(made.map(({ key }) => key)).toEqual([
    'POST /api/v1/namespaces',
    'PATCH /api/v1/namespaces/llm/resourcequotas/berth',
    'PATCH /api/v1/namespaces/llm/limitranges/berth',
  ]);
  expect(made[0]?.body).toMatchObject({ metadata: { labels: { 'modelmesh-enabled': 'false' } } });
});

test.each([
  ['that somebody else made is left as it is', {}, 0],
  [
    'that berth made gets what it lacks, as after an apply that was killed',
    { 'app.kubernetes.io/managed-by': 'berth' },
    2,
  ],
])('one %s', async (_, labels, count) => {
  const { place, asked } = await servedCluster(({ key, body }) => {
    if (key === 'GET /api/v1/namespaces/llm') return [200, { metadata: { name: 'llm', uid: 'n', labels } }];
    return key.startsWith('GET') ? undefined : [201, live(body)];
  });
  await ensureNamespace(place, wish);
  expect(asked.filter(({ key }) => !key.startsWith('GET')).length).toBe(count);
});
