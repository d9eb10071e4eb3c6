import { expect, test } from 'vitest';
import { servedCluster } from '../../test/support/kube-server.ts';
import { waitFetched } from './fetched.ts';

const wish = { job: 'big-fetch-1', from: 'hf://a/b', onProgress: () => {} };

test('a Job whose pods the quota refuses is told as that, and not waited for', async () => {
  const message = 'Error creating: pods "x" is forbidden: failed quota: few: must specify limits.cpu';
  const { world, place } = await servedCluster(({ key }) => {
    if (key.endsWith('/jobs/big-fetch-1')) return [200, { metadata: { name: 'big-fetch-1', uid: 'j' } }];
    if (key.endsWith('/events'))
      return [200, { items: [{ message, lastTimestamp: '2026-01-01T00:00:00Z' }] }];
    return [200, { items: [] }];
  });
  const failed = waitFetched(world, place, wish);
  await expect(failed).rejects.toMatchObject({
    code: 'KUBE_QUOTA',
    facts: { object: 'Job big-fetch-1' },
    cure: expect.stringContaining('State what it names under resources') as string,
  });
});

test('one that is done is waited for no longer', async () => {
  const status = { conditions: [{ type: 'Complete', status: 'True' }] };
  const { world, place } = await servedCluster(() => [200, { metadata: { name: 'j', uid: 'j' }, status }]);
  await expect(waitFetched(world, place, wish)).resolves.toBeUndefined();
});

test('one whose disk is full is told as that with its lines, and not waited for', async () => {
  const pod = {
    metadata: { name: 'p', uid: 'p' },
    status: {
      containerStatuses: [
        { name: 'fetch', restartCount: 1, state: { waiting: { reason: 'CrashLoopBackOff' } } },
      ],
    },
  };
  const { world, place } = await servedCluster(({ key }) => {
    if (key.endsWith('/log')) return [200, "cp: can't write m.gguf: No space left on device"];
    if (key.endsWith('/pods')) return [200, { items: [pod] }];
    return [200, { metadata: { name: 'big-fetch-1', uid: 'j' } }];
  });
  await expect(waitFetched(world, place, wish)).rejects.toMatchObject({
    code: 'KUBE_FETCH_FAILED',
    message: expect.stringMatching(/its disk is full\.\n.*No space left on device/) as string,
    cure: expect.stringContaining('the size of the claim') as string,
  });
});
