import { expect, test } from 'vitest';
import { podAnswer, podMark, untold } from '../../../test/support/cluster-pod.ts';
import { hurried } from '../../../test/support/hurried.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { startEngine } from './start-engine.ts';

const heldBack = { name: 'engine', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } };
const running = { name: 'engine', restartCount: 0, state: { running: {} } };
const fetching = {
  initContainerStatuses: [{ name: 'fetcher', state: { running: {} } }],
  containerStatuses: [heldBack],
};
const pulling = { containerStatuses: [{ ...heldBack, state: { waiting: { reason: 'ContainerCreating' } } }] };
const loading = { containerStatuses: [running] };
const homeless = { conditions: [{ type: 'PodScheduled', status: 'False', message: 'no GPU is free' }] };

/** After how many seconds a start of one minute is given up, where its pod is so at that second. */
async function givenUpAfter(
  statusAt: (second: number) => object,
  warning: string | null = null,
): Promise<{ seconds: number; answer: string }> {
  const time = { now: () => 0 };
  let gone = false;
  const { world } = await servedCluster((one) => {
    if (one.key.endsWith('/events')) return [200, { items: warning === null ? [] : [{ message: warning }] }];
    if (one.key.endsWith('/deployments')) return [200, { items: [{ metadata: { name: 'chat', uid: 'd' } }] }];
    if (one.key.startsWith('DELETE')) gone = true;
    return gone ? undefined : podAnswer(one, statusAt(time.now()));
  });
  const fast = hurried(world, 20);
  const begun = fast.now();
  time.now = () => (fast.now() - begun) / 1000;
  const started = await startEngine(fast.world, podMark, untold);
  const failed: unknown = await started.ready(new AbortController().signal).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'ENGINE_NOT_READY' });
  return (failed as { facts: { seconds: number; answer: string } }).facts;
}

test('the time of an engine in a cluster begins when it runs, however long its image and its model take to come', async () => {
  const { seconds, answer } = await givenUpAfter((at) =>
    at < 600 ? fetching : at < 1200 ? pulling : loading,
  );
  expect(answer).toBe('is not ready by its probe yet');
  expect(seconds).toBeGreaterThanOrEqual(1260);
  expect(seconds).toBeLessThan(1290);
});

test('what comes before it has an end as well', async () => {
  const { seconds, answer } = await givenUpAfter(() => fetching);
  expect(answer).toBe('is prepared by its init container fetcher');
  expect(seconds).toBe(1860);
});

test('what its cluster cannot mend by work is waited for no longer than the engine itself', async () => {
  expect((await givenUpAfter(() => homeless)).seconds).toBe(60);
  const { seconds, answer } = await givenUpAfter(() => pulling, 'MountVolume.SetUp failed.');
  expect([seconds, answer]).toEqual([60, 'is being started by its node: MountVolume.SetUp failed']);
});
