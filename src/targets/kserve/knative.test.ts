import { expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { World } from '../../io/world.ts';
import { create, restart } from './create.ts';
import { isAlive, logs, markedServices, settled, usage } from './observe.ts';
import { KserveOptions } from './options.ts';
import { preview } from './preview.ts';

const spec: LaunchSpec = {
  ...bareSpec,
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' }, imageCommand: ['vllm'] },
  args: ['serve', { hole: 'model' }],
  model: 's3://models/big',
};

function markOf(change: Partial<LaunchSpec> = {}, mode = 'Knative'): Mark {
  return {
    fleet: 'lab',
    fleetId: 'k3x9',
    deployment: 'big',
    replica: 0,
    target: KserveOptions.parse({ kind: 'kserve', mode }),
    address: '0.0.0.0',
    port: 8080,
    logFile: '',
    declared: {},
    spec: { ...spec, ...change },
  };
}

const request = { address: '', port: 8080, logFile: '', stateDir: '', withheld: [] };
const root = '/apis/serving.knative.dev/v1';
const service = '/apis/serving.kserve.io/v1beta1/namespaces/llm/inferenceservices/big';
const ofKnative = `${root}/namespaces/llm/services/big-predictor`;

type Object = Record<string, unknown> & {
  metadata: Record<string, unknown> & { annotations?: Record<string, string> };
};

/** What is applied is kept; of KServe and Knative there is what a test puts there. */
interface Cluster {
  readonly world: World;
  readonly asked: Asked[];
  readonly objects: Map<string, Object>;
  /** Has KServe give Knative the service as it is, at this generation. */
  readonly give: (generation: number) => void;
  /** Has Knative say this of the service. */
  readonly say: (status: object) => void;
  /** A revision with a pod, or with none. */
  readonly revise: (revision: string, pod: { ip: string; ready: boolean } | null) => void;
}

async function cluster({ hasKnative = true } = {}): Promise<Cluster> {
  const objects = new Map<string, Object>();
  const served = await servedCluster(({ key, body, query }) => {
    const [method = '', path = ''] = key.split(' ');
    if (path === root) return hasKnative ? [200, { resources: [] }] : [404, {}];
    if (method === 'PATCH' && query.get('dryRun') === 'All')
      return [200, objects.get(path) ?? withUid(body, path)];
    if (method === 'PATCH') {
      const there = objects.get(path);
      const sent = withUid(body, path);
      const annotations = { ...there?.metadata.annotations, ...sent.metadata.annotations };
      objects.set(path, { ...there, ...sent, metadata: { ...sent.metadata, annotations } });
      return [200, objects.get(path)];
    }
    if (method === 'DELETE') return [objects.delete(path) ? 200 : 404, {}];
    const one = objects.get(path);
    if (one) return [200, one];
    const labels = query.get('labelSelector');
    if (labels === null) return undefined;
    const listed = [...objects].filter(([at]) => at.replace(/\/[^/]+$/, '') === path);
    const [name = '', value] = labels.split('=');
    const fit = listed.filter(([, { metadata }]) => {
      const own = (metadata['labels'] as Record<string, string> | undefined)?.[name];
      return value === undefined ? own !== undefined : own === value;
    });
    return [200, { items: fit.map(([, object]) => object) }];
  });
  const apps = '/apis/apps/v1/namespaces/llm';
  return {
    ...served,
    objects,
    give: (generation) => {
      const { annotations = {} } = objects.get(service)?.metadata ?? {};
      const template = { metadata: { annotations }, spec: { containers: [{ name: 'kserve-container' }] } };
      const metadata = { name: 'big-predictor', uid: 'kn', generation };
      objects.set(ofKnative, { ...objects.get(ofKnative), metadata, spec: { template } });
    },
    say: (status) => {
      const there = objects.get(ofKnative);
      if (there) objects.set(ofKnative, { ...there, status });
    },
    revise: (revision, pod) => {
      const labels = {
        'serving.knative.dev/revision': revision,
        'serving.kserve.io/inferenceservice': 'big',
      };
      const containers = [
        { name: 'kserve-container', ports: [{ containerPort: 8085 }] },
        { name: 'queue-proxy', ports: [{ containerPort: 8012 }] },
      ];
      objects.set(`${apps}/deployments/${revision}-deployment`, {
        metadata: { name: `${revision}-deployment`, uid: `d-${revision}`, labels },
        spec: { replicas: pod ? 1 : 0, template: { spec: { containers } } },
        status: {},
      });
      objects.set(`${apps}/replicasets/${revision}`, {
        metadata: { name: revision, uid: `r-${revision}`, labels, ownerReferences: [owned(`d-${revision}`)] },
      });
      const at = `/api/v1/namespaces/llm/pods/${revision}`;
      if (!pod) objects.delete(at);
      else
        objects.set(at, {
          metadata: {
            name: revision,
            uid: `p-${revision}`,
            labels,
            ownerReferences: [owned(`r-${revision}`)],
          },
          status: {
            podIP: pod.ip,
            conditions: [{ type: 'Ready', status: pod.ready ? 'True' : 'False' }],
            containerStatuses: [{ name: 'kserve-container', state: { running: {} } }],
          },
        });
    },
  };
}

function owned(uid: string): object {
  return { kind: 'X', name: 'x', uid };
}

function withUid(body: unknown, uid: string): Object {
  const { metadata, ...rest } = body as Object;
  return { ...rest, metadata: { ...metadata, uid } };
}

async function only(world: World): Promise<Instance> {
  const [instance] = await markedServices(world);
  if (!instance) throw new Error('there is no service');
  return instance;
}

const one = 'big-predictor-00001';
const two = 'big-predictor-00002';
const ready = { type: 'Ready', status: 'True' };

test('a service of Knative is asked at the pod of its newest revision, once that has the requests', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf() });
  const instance = await only(there.world);
  expect([instance.alive, instance.trouble, instance.endpoints]).toEqual([true, 'waits for KServe', []]);
  there.give(1);
  expect(await settled(there.world, instance)).toEqual({ waits: 'waits for Knative' });
  there.revise(one, { ip: '10.0.0.1', ready: false });
  there.say({ observedGeneration: 1, latestCreatedRevisionName: one });
  expect(await settled(there.world, instance)).toEqual({
    waits: 'is not ready by its probe yet',
    stage: 'runs',
  });
  there.revise(one, { ip: '10.0.0.1', ready: true });
  const names = { latestCreatedRevisionName: one, latestReadyRevisionName: one };
  const unrouted = { type: 'Ready', status: 'Unknown', message: 'Ingress has not yet been reconciled.' };
  there.say({ observedGeneration: 1, ...names, conditions: [unrouted] });
  expect(await settled(there.world, instance)).toEqual({
    waits: 'waits for Knative: Ingress has not yet been reconciled',
  });
  there.say({ observedGeneration: 1, ...names, conditions: [ready] });
  expect(await settled(there.world, instance)).toEqual({ address: '10.0.0.1', port: 8085 });
  const serving = await only(there.world);
  expect([serving.mark?.reached, serving.trouble]).toEqual([{ address: '10.0.0.1', port: 8085 }, null]);
});

test('a change is in place by a new revision, and that of before serves until then', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf() });
  there.give(1);
  there.revise(one, { ip: '10.0.0.1', ready: true });
  const names = { latestCreatedRevisionName: one, latestReadyRevisionName: one };
  there.say({ observedGeneration: 1, ...names, conditions: [ready] });
  const first = await only(there.world);

  const changed = await create(there.world, {
    ...request,
    mark: markOf({ resources: { requests: { cpu: 2 }, limits: {} } }),
  });
  // Nothing of the arguments has changed, and yet KServe has not given it to Knative.
  expect(await settled(there.world, changed.instance)).toEqual({ waits: 'waits for KServe' });
  there.give(2);
  expect(await settled(there.world, changed.instance)).toEqual({ waits: 'waits for Knative' });
  there.say({ observedGeneration: 2, ...names, conditions: [{ type: 'Ready', status: 'Unknown' }] });
  expect(await settled(there.world, changed.instance)).toEqual({ waits: 'waits for Knative' });
  there.revise(two, { ip: '10.0.0.2', ready: false });
  there.say({
    observedGeneration: 2,
    ...names,
    latestCreatedRevisionName: two,
    conditions: [{ type: 'Ready', status: 'Unknown' }],
  });
  expect((await only(there.world)).mark?.reached?.address).toBe('10.0.0.1');
  expect(await isAlive(there.world, first)).toBe(true);
  expect(await settled(there.world, changed.instance)).toMatchObject({ stage: 'runs' });
  there.revise(two, { ip: '10.0.0.2', ready: true });
  const both = { latestCreatedRevisionName: two, latestReadyRevisionName: two };
  there.say({ observedGeneration: 2, ...both, conditions: [ready] });
  expect(await settled(there.world, changed.instance)).toEqual({ address: '10.0.0.2', port: 8085 });
  expect(await isAlive(there.world, first)).toBe(false);
});

test('a restart is in place with the revision that it has made, and not before', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf() });
  there.give(1);
  there.revise(one, { ip: '10.0.0.1', ready: true });
  const names = { latestCreatedRevisionName: one, latestReadyRevisionName: one };
  there.say({ observedGeneration: 1, ...names, conditions: [ready] });
  const again = await restart(there.world, await only(there.world));
  expect(await settled(there.world, again.instance)).toEqual({ waits: 'waits for KServe' });
  there.give(2);
  expect(await settled(there.world, again.instance)).toEqual({ waits: 'waits for Knative' });
});

test('what Knative has failed at is told in its words, and an image that is nowhere ends the wait', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf() });
  there.give(1);
  const instance = await only(there.world);
  function failed(message: string): object {
    const conditions = [{ type: 'Ready', status: 'False', message }];
    return { observedGeneration: 1, latestCreatedRevisionName: one, conditions };
  }
  there.revise(one, null);
  there.say(failed('Revision "big-predictor-00001" failed with message: Initial scale was never achieved.'));
  expect(await settled(there.world, instance)).toEqual({
    waits:
      'is not run by Knative: Revision "big-predictor-00001" failed with message: Initial scale was never achieved',
  });
  expect((await only(there.world)).trouble).toContain('is not run by Knative');
  const nowhere = 'Unable to fetch image "e/cpu:1": failed to resolve image to digest: it is not found';
  there.say(failed(`Revision "${one}" failed with message: ${nowhere}.`));
  await expect(settled(there.world, instance)).rejects.toMatchObject({
    code: 'IMAGE_MISSING',
    facts: { image: 'e/cpu:1', reason: 'failed to resolve image to digest: it is not found' },
  });
});

test('a service that Knative has scaled to zero is whole: its pods, lines and use are none', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf() });
  there.give(1);
  there.revise(one, null);
  const names = { latestCreatedRevisionName: one, latestReadyRevisionName: one };
  there.say({ observedGeneration: 1, ...names, conditions: [ready] });
  const instance = await only(there.world);
  expect([instance.alive, instance.endpoints, instance.trouble]).toEqual([
    true,
    [],
    'has no pod until somebody asks for it: Knative has ended the last one',
  ]);
  const how = { lines: 5, follow: false, signal: AbortSignal.timeout(5000) };
  for await (const line of logs(there.world, instance, how)) expect(line).toBe('no line');
  expect(await usage(there.world, instance)).toMatchObject({ memoryBytes: null, restarts: 0 });
});

test('a cluster without Knative is told before anything is made there', async () => {
  const there = await cluster({ hasKnative: false });
  await expect(create(there.world, { ...request, mark: markOf() })).rejects.toMatchObject({
    code: 'KNATIVE_MISSING',
  });
  expect(there.asked.filter(({ key }) => key.startsWith('PATCH'))).toEqual([]);
  const mark = markOf();
  const told = await preview(there.world, { ...request, mark }, KserveOptions.parse(mark.target));
  expect(told.map(({ severity, evidence }) => [severity, evidence])).toEqual([
    ['critical', ['KNATIVE_MISSING']],
  ]);
  expect(told[0]?.cure).toContain('Install Knative Serving');
});

test('a service of the other mode, which KServe would not change, is removed and made anew, and the plan says so', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf({}, 'RawDeployment') });
  const mark = markOf();
  const told = await preview(there.world, { ...request, mark }, KserveOptions.parse(mark.target));
  expect(told.map(({ severity, message }) => [severity, message])).toEqual([
    ['warning', expect.stringContaining('cannot change the mode of inference service big to Serverless')],
  ]);
  const tried = there.asked.filter(({ query }) => query.get('dryRun') === 'All').map(({ key }) => key);
  expect(tried.some((key) => key.includes('/inferenceservices/'))).toBe(false);
  await create(there.world, { ...request, mark });
  const changes = there.asked.filter(
    ({ key, query }) => key.endsWith(service) && !key.startsWith('GET') && !query.has('dryRun'),
  );
  expect(changes.map(({ key }) => key.split(' ')[0])).toEqual(['PATCH', 'DELETE', 'PATCH']);
  expect(there.objects.get(service)?.metadata.annotations?.['serving.kserve.io/deploymentMode']).toBe(
    'Serverless',
  );
});

test('GPUs of a change are wanted beside those of the revision that serves, which the plan tells', async () => {
  const there = await cluster();
  const gpus = { devices: { vendor: 'nvidia', count: 2 } } as const;
  await create(there.world, { ...request, mark: markOf(gpus) });
  there.give(1);
  there.revise(one, { ip: '10.0.0.1', ready: true });
  there.say({ observedGeneration: 1, latestCreatedRevisionName: one, latestReadyRevisionName: one });
  const same = markOf(gpus);
  const options = KserveOptions.parse(same.target);
  expect(await preview(there.world, { ...request, mark: same }, options)).toEqual([]);
  const changed = markOf({ ...gpus, args: ['serve', 'other'] });
  const told = await preview(there.world, { ...request, mark: changed }, options);
  expect(told.map(({ evidence }) => evidence)).toEqual([['2 nvidia.com/gpu']]);
});

test('what Knative would not take stands in no service of it, and a long start has its time', async () => {
  const there = await cluster();
  const long = { readiness: { path: '/health', startTimeoutMs: 1_800_000 } };
  await create(there.world, {
    ...request,
    mark: markOf({
      ...long,
      devices: { vendor: 'nvidia', count: 1 },
      stop: { signal: 'SIGTERM', graceMs: 9000 },
    }),
  });
  const made = there.objects.get(service);
  const { predictor } = (made?.['spec'] ?? {}) as { predictor?: object };
  expect(predictor).toMatchObject({ timeout: 600, minReplicas: 1, maxReplicas: 1 });
  expect(predictor).not.toHaveProperty('deploymentStrategy');
  expect(predictor).not.toHaveProperty('terminationGracePeriodSeconds');
  const { annotations = {} } = made?.metadata ?? {};
  expect(annotations['serving.knative.dev/progress-deadline']).toBe('1860s');
  expect(annotations).not.toHaveProperty('serving.kserve.io/autoscalerClass');
});

test('a restart of a plain Deployment too is in place once KServe has handed it on', async () => {
  const there = await cluster();
  await create(there.world, { ...request, mark: markOf({}, 'RawDeployment') });
  const at = '/apis/apps/v1/namespaces/llm/deployments/big-predictor';
  there.revise('big-predictor', { ip: '10.0.0.1', ready: true });
  function hand(annotations: object): void {
    const { args, image } = { args: ['serve', '/mnt/models'], image: 'e/cpu:1' };
    const container = { name: 'kserve-container', args, image };
    const template = { metadata: { annotations }, spec: { containers: [container] } };
    const metadata = { name: 'big-predictor', uid: 'd-big-predictor' };
    const status = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
    there.objects.set(at, { metadata, spec: { replicas: 1, template }, status });
  }
  hand({});
  const instance = await only(there.world);
  expect(await settled(there.world, instance)).toEqual({ address: '10.0.0.1', port: 8080 });
  const again = await restart(there.world, instance);
  expect(await settled(there.world, again.instance)).toEqual({ waits: 'waits for KServe' });
  hand(there.objects.get(service)?.metadata.annotations ?? {});
  expect(await settled(there.world, again.instance)).toEqual({ address: '10.0.0.1', port: 8080 });
});
