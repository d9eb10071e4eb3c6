import { expect, test } from 'vitest';
import { podAnswer, podMark } from '../../../test/support/cluster-pod.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { create } from './create.ts';
import { KubernetesOptions } from './options.ts';
import { preview } from './preview.ts';

interface Spec {
  readonly minReadySeconds?: number;
  readonly progressDeadlineSeconds: number;
}

const refusal = 'spec.progressDeadlineSeconds: Invalid value: must be greater than minReadySeconds';

/** A cluster with one pod of it that is ready, and that holds the two times against each other as a real one does. */
async function changed(patch: Spec): Promise<{ messages: string[]; sent: Spec[]; tried: Spec[] }> {
  const target = KubernetesOptions.parse({
    kind: 'kubernetes',
    entrypoint: ['serve'],
    patch: { spec: patch },
  });
  const mark = { ...podMark, target };
  const ready = { podIP: '10.0.0.9', conditions: [{ type: 'Ready', status: 'True' }] };
  const { world, asked } = await servedCluster((one) => {
    if (!/^PATCH .*deployments/.test(one.key)) return podAnswer(one, ready);
    const { minReadySeconds = 0, progressDeadlineSeconds } = (one.body as { spec: Spec }).spec;
    if (progressDeadlineSeconds <= minReadySeconds) return [422, { reason: 'Invalid', message: refusal }];
    return podAnswer(one, ready);
  });
  const request = { mark, address: '', port: 8080, logFile: '', stateDir: '', withheld: [], keepsOld: true };
  const messages = (await preview(world, request, target)).map(({ message }) => message);
  const before = asked.length;
  if (messages.length === 0) await create(world, request, target);
  function specs(from: number, to?: number): Spec[] {
    const patches = asked.slice(from, to).filter(({ key }) => /^PATCH .*deployments/.test(key));
    return patches.map(({ body }) => (body as { spec: Spec }).spec);
  }
  return { messages, sent: specs(before), tried: specs(0, before) };
}

test('a change that rolls has a deadline beyond the time that the old pod is kept, whatever a patch says', async () => {
  const { messages, sent, tried } = await changed({ progressDeadlineSeconds: 600 });
  expect(messages).toEqual([]);
  const rolling = { minReadySeconds: 900, progressDeadlineSeconds: 1500 };
  expect(tried).toEqual([
    expect.objectContaining({ progressDeadlineSeconds: 600 }),
    expect.objectContaining(rolling),
  ]);
  expect(sent).toEqual([expect.objectContaining(rolling)]);
});

test('a longer deadline stays, and a patch that a cluster refuses by itself is told beforehand', async () => {
  const { sent } = await changed({ progressDeadlineSeconds: 3000 });
  expect(sent).toEqual([expect.objectContaining({ minReadySeconds: 900, progressDeadlineSeconds: 3000 })]);
  const { messages } = await changed({ minReadySeconds: 700, progressDeadlineSeconds: 600 });
  expect(messages).toEqual([expect.stringContaining(refusal)]);
});
