import { expect, test } from 'vitest';
import { podAnswer, podInstance as instance } from '../../../test/support/cluster-pod.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import { countsOf, endingOf } from '../../kube/state.ts';
import { logs, lookAgain, settled } from './observe.ts';

const heldBack = { name: 'engine', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } };
const failed = { terminated: { exitCode: 2, reason: 'Error' } };
const crashing = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } };

/** A Deployment whose one pod has these init containers, on a server that tells their lines. */
async function prepared(...initContainerStatuses: object[]): ReturnType<typeof servedCluster> {
  const status = { phase: 'Pending', initContainerStatuses, containerStatuses: [heldBack] };
  return servedCluster(({ key, query }) =>
    key.endsWith('/log')
      ? [200, `${query.get('container')} said this, ${query.get('previous')}`]
      : podAnswer({ key }, status),
  );
}

async function waits(...statuses: object[]): Promise<unknown> {
  const { world } = await prepared(...statuses);
  return settled(world, instance);
}

test('a pod whose model is still being fetched, or cannot be, says so in place of being started by its node', async () => {
  const done = { name: 'certificates', state: { terminated: { exitCode: 0 } } };
  const fetcher = { name: 'fetcher', restartCount: 0 };
  expect(await waits(done, { ...fetcher, state: { running: {} } })).toEqual({
    waits: 'is prepared by its init container fetcher',
    stage: 'prepares',
  });
  expect(await waits(done, { ...fetcher, state: crashing, lastState: failed })).toEqual({
    stage: null,
    waits: 'is not prepared: its init container fetcher ended with code 2 and is started again',
  });
  const missing = { reason: 'CreateContainerConfigError', message: 'secret "s3" not found' };
  expect(await waits({ ...fetcher, state: { waiting: missing } })).toEqual({
    stage: null,
    waits: 'waits for its init container fetcher: CreateContainerConfigError: secret "s3" not found',
  });
});

test('the image that cannot be pulled is named, also where it is not that of the engine', async () => {
  const waiting = { reason: 'ImagePullBackOff', message: 'not found' };
  const { world } = await prepared({ name: 'fetcher', image: 'e/fetch:1', state: { waiting } });
  await expect(settled(world, instance)).rejects.toMatchObject({
    code: 'IMAGE_MISSING',
    facts: { image: 'e/fetch:1', reason: 'not found' },
  });
});

test('what fails twice since this start is its end, and its lines are those that are told', async () => {
  const again = { name: 'fetcher', restartCount: 3, state: crashing, lastState: failed };
  const { world, place } = await prepared(again);
  const made = await lookAgain(place, instance);
  if (!made) throw new Error('There is no deployment.');
  const ended = { code: 2, signal: null, outOfMemory: false, container: 'fetcher' };
  expect(endingOf(made)).toEqual(ended);
  expect(endingOf(made, countsOf(made))).toBeNull();
  expect(endingOf(made, new Map([['pod fetcher', 2]]))).toEqual(ended);
  const lines: string[] = [];
  const how = { lines: 5, follow: false, signal: AbortSignal.timeout(5_000) };
  for await (const line of logs(world, instance, how)) lines.push(line);
  expect(lines).toEqual(['"fetcher said this, true"', '"fetcher said this, null"']);
});

test('a first failure of what fetches is tried again by its node', async () => {
  const once = { name: 'fetcher', restartCount: 0, state: failed };
  const { place } = await prepared(once);
  const made = await lookAgain(place, instance);
  expect(made && endingOf(made)).toBeNull();
});
