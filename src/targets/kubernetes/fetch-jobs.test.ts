import { expect, test } from 'vitest';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { KubeObject } from '../../kube/object.ts';
import { kubernetesTarget } from '../kubernetes.ts';
import { fetchInCluster } from './fetch-jobs.ts';

const labels = { 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9', 'berth.dev/fetch': 'f0' };
const job: KubeObject = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'weights-fetch-1', labels },
};

interface Live {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Record<string, string> };
  readonly status?: object;
}

function live(name: string, condition?: string, change: Record<string, string> = {}): Live {
  const status = { conditions: condition === undefined ? [] : [{ type: condition, status: 'True' }] };
  return { metadata: { name, uid: `uid-${name}`, labels: { ...labels, ...change } }, status };
}

/** A cluster with those Jobs, which go when they are deleted, and in which each that is applied is done at once. */
async function clusterWith(jobs: Live[], deployments: readonly object[] = []) {
  const there = new Map(jobs.map((one) => [one.metadata.name, one]));
  function answer({ key, query }: Asked): readonly [number, unknown] | undefined {
    const name = key.split('/').at(-1) ?? '';
    if (key.endsWith('/deployments')) return [200, { items: deployments }];
    if (key.endsWith('/jobs')) {
      const wanted = (query.get('labelSelector') ?? '').split(',').map((one) => one.split('='));
      const items = [...there.values()].filter(({ metadata }) =>
        wanted.every(([label = '', value]) => value === undefined || metadata.labels[label] === value),
      );
      return [200, { items }];
    }
    if (!key.includes('/jobs/')) return undefined;
    if (key.startsWith('DELETE')) return there.delete(name) ? [200, {}] : undefined;
    if (key.startsWith('PATCH') && !there.has(name)) there.set(name, live(name, 'Complete'));
    const found = there.get(name);
    return found ? [200, found] : undefined;
  }
  const { world, place, asked } = await servedCluster(answer);
  function changes(): string[] {
    return asked.flatMap(({ key }) => (key.startsWith('GET') ? [] : [key.replace(/ .*\//, ' ')]));
  }
  return { world, place, changes };
}

const how = { job, from: 'hf://a/b', force: false, onProgress: () => {} };

test('one that has failed is made anew, since the cluster tries it no more', async () => {
  const { world, place, changes } = await clusterWith([live('weights-fetch-1', 'Failed')]);
  await fetchInCluster(world, place, how);
  expect(changes()).toEqual(['DELETE weights-fetch-1', 'PATCH weights-fetch-1']);
});

test('what still fetches something else to the same place goes before; what is done there, or goes elsewhere, stays', async () => {
  const { world, place, changes } = await clusterWith([
    live('under-way'),
    live('done', 'Complete'),
    live('elsewhere', undefined, { 'berth.dev/fetch': 'f1' }),
    live('of-others', undefined, { 'berth.dev/fleet-id': 'zzzz' }),
  ]);
  await fetchInCluster(world, place, how);
  expect(changes()).toEqual(['DELETE under-way', 'PATCH weights-fetch-1']);
});

test('one that a deployment beside is waiting for is waited for, and made by nobody twice', async () => {
  const { world, place, changes } = await clusterWith([live('weights-fetch-1')]);
  const lines: string[] = [];
  const waits = fetchInCluster(world, place, { ...how, onProgress: (line) => lines.push(line) });
  await expect.poll(() => lines.length).toBeGreaterThan(0);
  expect(changes()).toEqual(['PATCH weights-fetch-1']);
  await place.api.ask('DELETE', '/apis/batch/v1/namespaces/llm/jobs/weights-fetch-1');
  await expect(waits).rejects.toMatchObject({
    code: 'KUBE_FETCH_FAILED',
    facts: { reason: 'its Job is gone' },
  });
});

/** A Deployment as the server has it, with the names of the Jobs that were written for it; null: nobody knows which. */
function deployment(name: string, jobs: readonly string[] | null, fleetId = 'k3x9'): object {
  const objects = jobs?.map((one) => ({ ...job, metadata: { name: one } }));
  const annotations = objects ? { 'berth.dev/written': JSON.stringify(objects) } : {};
  return {
    metadata: { name, uid: name, labels: { ...labels, 'berth.dev/fleet-id': fleetId }, annotations },
    spec: {},
  };
}

test('after the changes of a command Jobs go that no deployment wants; those that one of several wants stay', async () => {
  const jobs = [
    live('weights-fetch-1', 'Complete'),
    live('weights-fetch-2', 'Complete'),
    live('under-way'),
    live('of-unknown', 'Complete', { 'berth.dev/fleet-id': 'zzzz' }),
    live('of-helm', 'Complete', { 'helm.toolkit.fluxcd.io/name': 'lab' }),
  ];
  const { world, changes } = await clusterWith(jobs, [
    deployment('chat', ['weights-fetch-1']),
    deployment('twin', ['weights-fetch-1']),
    deployment('theirs', ['weights-fetch-2'], 'yyyy'),
    deployment('older', null, 'zzzz'),
  ]);
  await kubernetesTarget.settle(world);
  expect(changes().toSorted()).toEqual(['DELETE under-way', 'DELETE weights-fetch-2']);
});

test('who may not look at Jobs has none to take away', async () => {
  const { world, asked } = await servedCluster(() => [403, { message: 'jobs is forbidden' }]);
  await expect(kubernetesTarget.settle(world)).resolves.toBeUndefined();
  expect(asked).toHaveLength(1);
});
