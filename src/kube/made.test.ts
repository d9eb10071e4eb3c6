import { expect, test } from 'vitest';
import { servedCluster } from '../../test/support/kube-server.ts';
import { usageOf } from './made.ts';

const made = {
  deployment: { metadata: { name: 'big', uid: 'd' }, spec: {} },
  replicaSets: [],
  pods: [],
};

test('memory and cores of all its containers are told where the cluster has metrics', async () => {
  const usage = [
    { cpu: '250000000n', memory: '1024Ki' },
    { cpu: '1500m', memory: '1Mi' },
  ];
  const { place } = await servedCluster(() => [
    200,
    { items: [{ containers: usage.map((one) => ({ usage: one })) }] },
  ]);
  const used = await usageOf(place, made, 'a=b');
  expect(used).toMatchObject({ memoryBytes: 2 * 1024 ** 2, cores: 1.75, cpuSeconds: null });
});

test('where it has none they are not known, and not 0', async () => {
  const { place } = await servedCluster(() => undefined);
  expect(await usageOf(place, made, 'a=b')).toMatchObject({ memoryBytes: null, cores: null });
});
