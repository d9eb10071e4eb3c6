import { expect, test } from 'vitest';
import { podAnswer, podInstance, podMark, untold } from '../../../test/support/cluster-pod.ts';
import { hurried } from '../../../test/support/hurried.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { waitAnswer } from './ready.ts';
import { startEngine } from './start-engine.ts';

/** By its probe it is well; nobody listens at its address here, as with an address that leads nowhere. */
const ready = { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };

const mark = { ...podMark, port: 1 };

const words = {
  code: 'ENGINE_UNREACHED',
  message: expect.stringMatching(
    /^chat is ready by the word of its cluster, but cannot be reached from here: http:\/\/127\.0\.0\.1:\d+.* does not listen yet\. It was left as it is \(deployment chat\)/,
  ) as string,
  cure: expect.stringContaining("Run berth where the cluster's pods can be reached") as string,
};

test('a pod that its cluster calls ready and that cannot be asked from here is told, and not taken away', async () => {
  const { world, asked } = await servedCluster((one) => podAnswer(one, ready));
  const started = await startEngine(hurried(world).world, mark, untold);
  await expect(started.ready(new AbortController().signal)).rejects.toMatchObject(words);
  expect(
    asked.filter(({ key }) => key.startsWith('PATCH')).map(({ key }) => key.split('/').at(-1)),
  ).toContain('chat');
  expect(asked.filter(({ key }) => key.startsWith('DELETE') && key.endsWith('/chat'))).toEqual([]);
});

test('one that never gets ready is taken away again', async () => {
  const unready = {
    ...ready,
    containerStatuses: [{ name: 'engine', state: { running: {} } }],
    conditions: [],
  };
  let there = true;
  const { world } = await servedCluster((one) => {
    if (one.key === 'DELETE /apis/apps/v1/namespaces/llm/deployments/chat') there = false;
    const isList = one.key.endsWith('/deployments');
    if (isList) return [200, { items: [{ metadata: { name: 'chat', uid: 'd' } }] }];
    return there || one.key.endsWith('sets') ? podAnswer(one, unready) : undefined;
  });
  const started = await startEngine(hurried(world).world, mark, untold);
  await expect(started.ready(new AbortController().signal)).rejects.toMatchObject({
    code: 'ENGINE_NOT_READY',
  });
  expect(there).toBe(false);
});

test('the same holds for one that runs already', async () => {
  const { world } = await servedCluster((one) => podAnswer(one, ready));
  const found = { ...mark, reached: { address: '127.0.0.1', port: 1 } };
  const { signal } = new AbortController();
  const answers = waitAnswer(hurried(world).world, { instance: podInstance, mark: found, signal });
  await expect(answers).rejects.toMatchObject(words);
});

/** What a server passes on to that pod, and what this one answers. */
function passedOn(key: string, models = 200): [number, unknown] | undefined {
  const [, path] = /\/pods\/pod:1\/proxy(.*)$/.exec(key) ?? [];
  if (path === '/health') return [200, {}];
  if (path === '/v1/models') return [models, { data: [] }];
  return path?.startsWith('/v1/') ? [models, { choices: [{}] }] : undefined;
}

test('where its address leads nowhere from here, the server of its cluster is asked to pass the questions on', async () => {
  const { world, asked } = await servedCluster((one) => passedOn(one.key) ?? podAnswer(one, ready, mark));
  const started = await startEngine(hurried(world).world, mark, untold);
  await expect(started.ready(new AbortController().signal)).resolves.toBeUndefined();
  const questions = asked.filter(({ key }) => key.includes('/proxy/'));
  expect(questions.map(({ key }) => key.split('/pods/')[1])).toEqual([
    'pod:1/proxy/health',
    'pod:1/proxy/v1/models',
    'pod:1/proxy/v1/chat/completions',
  ]);
  expect(questions.at(-1)?.body).toMatchObject({ model: 'chat', max_tokens: 1 });
});

test('an engine that wants its key, which does not get through on that way, is there all the same', async () => {
  const { world } = await servedCluster((one) => passedOn(one.key, 401) ?? podAnswer(one, ready, mark));
  const started = await startEngine(hurried(world).world, mark, untold);
  await expect(started.ready(new AbortController().signal)).resolves.toBeUndefined();
});
