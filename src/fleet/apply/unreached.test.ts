import { expect, test } from 'vitest';
import { podAnswer, podInstance, podMark } from '../../../test/support/cluster-pod.ts';
import { hurried } from '../../../test/support/hurried.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { waitAnswer } from './ready.ts';
import { startEngine } from './start-engine.ts';

/** By its probe it is well; nobody listens at its address here, as with an address that leads nowhere. */
const ready = { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };

const words = {
  code: 'ENGINE_UNREACHED',
  message: expect.stringMatching(
    /^chat is ready by the word of its cluster, but cannot be reached from here: http:\/\/127\.0\.0\.1:\d+.* does not listen yet\. It was left as it is \(deployment chat\)/,
  ) as string,
  cure: expect.stringContaining("Run berth where the cluster's pods can be reached") as string,
};

test('a pod that its cluster calls ready and that cannot be asked from here is told, and not taken away', async () => {
  const { world, asked } = await servedCluster((one) => podAnswer(one, ready));
  const mark = { ...podMark, port: 1 };
  const started = await startEngine(hurried(world).world, mark, { withheld: [] });
  await expect(started.ready(new AbortController().signal)).rejects.toMatchObject(words);
  expect(
    asked.filter(({ key }) => key.startsWith('PATCH')).map(({ key }) => key.split('/').at(-1)),
  ).toContain('chat');
  expect(asked.filter(({ key }) => key.startsWith('DELETE') && key.endsWith('/chat'))).toEqual([]);
});

test('one that never gets ready is taken away again', async () => {
  const unready = { ...ready, conditions: [{ type: 'Ready', status: 'False' }] };
  let there = true;
  const { world } = await servedCluster((one) => {
    if (one.key === 'DELETE /apis/apps/v1/namespaces/llm/deployments/chat') there = false;
    const isList = one.key.endsWith('/deployments');
    if (isList) return [200, { items: [{ metadata: { name: 'chat', uid: 'd' } }] }];
    return there || one.key.endsWith('sets') ? podAnswer(one, unready) : undefined;
  });
  const started = await startEngine(hurried(world).world, { ...podMark, port: 1 }, { withheld: [] });
  await expect(started.ready(new AbortController().signal)).rejects.toMatchObject({
    code: 'ENGINE_NOT_READY',
  });
  expect(there).toBe(false);
});

test('the same holds for one that runs already', async () => {
  const { world } = await servedCluster((one) => podAnswer(one, ready));
  const mark = { ...podMark, port: 1, reached: { address: '127.0.0.1', port: 1 } };
  const { signal } = new AbortController();
  const answers = waitAnswer(hurried(world).world, { instance: podInstance, mark, signal });
  await expect(answers).rejects.toMatchObject(words);
});
