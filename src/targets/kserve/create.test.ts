import { expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { create, remove } from './create.ts';
import { markedServices } from './observe.ts';
import { KserveOptions } from './options.ts';
import { preview } from './preview.ts';
import { park } from './stop.ts';

const spec: LaunchSpec = {
  ...bareSpec,
  program: { binary: 'vllm', images: { cpu: 'e/cpu:1' }, imageCommand: ['vllm'] },
  args: ['serve', { hole: 'model' }],
  model: 's3://models/big',
  modelSecret: { env: 'S3' },
};

function markOf(change: Partial<LaunchSpec> = {}): Mark {
  return {
    fleet: 'lab',
    fleetId: 'k3x9',
    deployment: 'big',
    replica: 0,
    target: KserveOptions.parse({ kind: 'kserve' }),
    address: '0.0.0.0',
    port: 8080,
    logFile: '',
    declared: {},
    spec: { ...spec, ...change },
  };
}

/** Keeps what is applied and what annotations become, and forgets what is deleted; it has no controller. */
function store(): { answer: (asked: Asked) => readonly [number, unknown]; names: () => string[] } {
  const objects = new Map<string, { metadata: object }>();
  return {
    names: () => [...objects.keys()].map((path) => path.split('/').slice(-2).join('/')),
    answer: ({ key, body }) => {
      const [method = '', path = ''] = key.split(' ');
      const there = objects.get(path);
      if (method === 'PATCH') {
        const { metadata, ...rest } = body as { metadata: { annotations?: object } };
        if (!('kind' in rest)) {
          const before = there?.metadata as { annotations?: object };
          const annotations = { ...before.annotations, ...metadata.annotations };
          const kept = Object.fromEntries(Object.entries(annotations).filter(([, value]) => value !== null));
          objects.set(path, { ...there, metadata: { ...before, annotations: kept } });
          return [200, objects.get(path)];
        }
        const live = { ...rest, metadata: { ...metadata, uid: path } };
        objects.set(path, live);
        return [200, live];
      }
      if (method === 'DELETE') return [objects.delete(path) ? 200 : 404, {}];
      if (there) return [200, there];
      const listed = [...objects].filter(([one]) => one.replace(/\/[^/]+$/, '') === path);
      const isList = /\/(configmaps|inferenceservices|pods|replicasets)$/.test(path);
      return isList ? [200, { items: listed.map(([, one]) => one) }] : [404, {}];
    },
  };
}

const request = { address: '', port: 8080, logFile: '', stateDir: '', withheld: [] };

test('keys for S3 come and go with the service, and so they do where it needs them no longer', async () => {
  const { answer, names } = store();
  const { world, asked } = await servedCluster(answer);
  const lines = 'AWS_ACCESS_KEY_ID=me\nAWS_SECRET_ACCESS_KEY=hush\nAWS_ENDPOINT_URL=http://minio:9000';
  const there = { ...world, home: { ...(world.home ?? world), env: { ...world.home?.env, S3: lines } } };
  await create(there, { ...request, mark: markOf() });
  const own = ['secrets/big-storage', 'serviceaccounts/big-storage'];
  expect(names()).toEqual(expect.arrayContaining([...own, 'inferenceservices/big', 'servingruntimes/big']));
  const secret = asked.find(({ key }) => key.startsWith('PATCH') && key.endsWith(own[0] ?? ''));
  expect(secret?.body).toMatchObject({
    metadata: { annotations: { 'serving.kserve.io/s3-endpoint': 'minio:9000' } },
    data: { AWS_SECRET_ACCESS_KEY: Buffer.from('hush').toString('base64') },
  });
  const others = asked.filter((one) => one !== secret && one.key.startsWith('PATCH'));
  expect(JSON.stringify(others)).not.toMatch(/hush|aHVzaA/);

  const { modelSecret: _none, ...open } = spec;
  await create(there, { ...request, mark: { ...markOf(), spec: open } });
  expect(names().filter((name) => own.includes(name))).toEqual([]);

  await create(there, { ...request, mark: markOf() });
  const [instance] = await markedServices(there);
  expect(instance?.mark?.deployment).toBe('big');
  if (instance) await remove(there, instance, { graceMs: 0 });
  expect(names()).toEqual([]);
});

const { modelSecret: _key, ...keyless } = spec;
const open = { ...markOf(), spec: keyless };

test('a service that is parked stays, is told as stopped and not as one that fails, and runs again once it is created', async () => {
  const { answer, names } = store();
  const { world, asked } = await servedCluster(answer);
  await create(world, { ...request, mark: open });
  const before = names();
  const [running] = await markedServices(world);
  expect([running?.alive, running?.parked]).toEqual([true, undefined]);
  if (running) await park(world, running, { graceMs: 0 });
  const [parked] = await markedServices(world);
  expect([parked?.alive, parked?.parked, parked?.trouble, names()]).toEqual([
    false,
    true,
    'is stopped by serving.kserve.io/stop',
    before,
  ]);
  const patch = asked
    .filter(({ key }) => key.endsWith('/inferenceservices/big'))
    .findLast(({ body }) => body);
  expect(patch?.body).toEqual({
    metadata: { uid: running?.object.id, annotations: { 'serving.kserve.io/stop': 'true' } },
  });
  await create(world, { ...request, mark: open });
  const [again] = await markedServices(world);
  expect([again?.alive, again?.parked, again?.object.id]).toEqual([true, undefined, running?.object.id]);
});

test('where KServe lets the pods run a stop takes its annotation back and says so', async () => {
  const { answer } = store();
  const made = { metadata: { name: 'big-predictor', uid: 'd' }, spec: { replicas: 1 } };
  const { world } = await servedCluster((one) =>
    one.key.endsWith('/deployments/big-predictor') ? [200, made] : answer(one),
  );
  let now = 0;
  const clock = { ...world.clock, now: () => (now += 10_000), sleep: () => Promise.resolve() };
  await create(world, { ...request, mark: open });
  const [running] = await markedServices(world);
  if (!running) throw new Error('there is no service');
  await expect(park({ ...world, clock }, running, { graceMs: 0 })).rejects.toMatchObject({
    code: 'KSERVE_STOP_UNKNOWN',
  });
  expect((await markedServices(world))[0]?.alive).toBe(true);
});

test('so does one over a service whose pods are replaced meanwhile, as those of a node that is drained', async () => {
  const { answer } = store();
  const made = { metadata: { name: 'big-predictor', uid: 'd' }, spec: { replicas: 1 } };
  const labels = { 'serving.kserve.io/inferenceservice': 'big' };
  const grace = { terminationGracePeriodSeconds: 30 };
  const old = {
    metadata: { name: 'big-1', uid: 'p', labels, deletionTimestamp: '2026-01-01T00:10:00Z' },
    spec: grace,
  };
  const fresh = { metadata: { name: 'big-2', uid: 'q', labels }, spec: grace };
  let now = 0;
  const { world } = await servedCluster((one) => {
    if (one.key.endsWith('/pods')) return [200, { items: [now < 30_000 ? old : fresh] }];
    return one.key.endsWith('/deployments/big-predictor') ? [200, made] : answer(one);
  });
  const clock = { ...world.clock, now: () => (now += 10_000), sleep: () => Promise.resolve() };
  await create(world, { ...request, mark: open });
  const [running] = await markedServices(world);
  if (!running) throw new Error('there is no service');
  await expect(park({ ...world, clock }, running, { graceMs: 0 })).rejects.toMatchObject({
    code: 'KSERVE_STOP_UNKNOWN',
  });
  expect((await markedServices(world))[0]?.parked).toBeUndefined();
});

/** A pod of a Deployment that is gone already, ended for as long as `isThere`. */
async function stopping(isThere: (now: number) => boolean) {
  const { answer } = store();
  let now = 0;
  const labels = { 'serving.kserve.io/inferenceservice': 'big' };
  const metadata = { name: 'big-1', uid: 'p', labels, deletionTimestamp: '2026-01-01T00:10:00Z' };
  const pod = { metadata, spec: { terminationGracePeriodSeconds: 600 } };
  const { world } = await servedCluster((one) =>
    one.key.endsWith('/pods') && now > 0 ? [200, { items: isThere(now) ? [pod] : [] }] : answer(one),
  );
  const clock = { ...world.clock, now: () => (now += 10_000), sleep: () => Promise.resolve() };
  await create(world, { ...request, mark: open });
  const [running] = await markedServices(world);
  if (!running) throw new Error('there is no service');
  return { world: { ...world, clock }, running, now: () => now };
}

test('a stop waits as long as the pods may take by themselves, which is more than the engine needs', async () => {
  const { world, running, now } = await stopping((at) => at < 590_000);
  await park(world, running, { graceMs: 5_000 });
  expect(now()).toBeGreaterThanOrEqual(590_000);
  expect((await markedServices(world))[0]?.parked).toBe(true);
});

test('a stop that is under way is not undone where its pods outstay their time', async () => {
  const { world, running, now } = await stopping(() => true);
  await expect(park(world, running, { graceMs: 5_000 })).rejects.toMatchObject({
    code: 'NOT_ENDING',
    message: expect.stringContaining('pod big-1 does not end: it had 600 s') as string,
  });
  expect(now()).toBeLessThan(700_000);
  expect((await markedServices(world))[0]?.parked).toBe(true);
});

test('who may ask comes with a Route that wants a token, and goes when it wants none and with the service', async () => {
  const { answer, names } = store();
  const { world, asked } = await servedCluster(answer);
  const rights = [
    'secrets/big-token',
    'rolebindings/big-view',
    'roles/big-view-role',
    'serviceaccounts/big-sa',
  ];
  function routed(route: object): Mark {
    return { ...open, target: KserveOptions.parse({ kind: 'kserve', route }) };
  }
  const mark = routed({ auth: true, token: true });
  await preview(world, { ...request, mark }, KserveOptions.parse(mark.target));
  const tried = asked.filter(({ key }) => key.startsWith('PATCH')).map(({ key }) => key);
  // Its role is not there yet, by which the cluster would judge who may bind it.
  expect([
    tried.some((key) => key.includes('/roles/')),
    tried.some((key) => key.includes('/rolebindings/')),
  ]).toEqual([true, false]);

  await create(world, { ...request, mark });
  expect(names()).toEqual(expect.arrayContaining(rights));
  await create(world, { ...request, mark: routed({}) });
  expect(names().filter((name) => rights.includes(name))).toEqual([]);
  await create(world, { ...request, mark });
  const [instance] = await markedServices(world);
  if (instance) await remove(world, instance, { graceMs: 0 });
  expect(names()).toEqual([]);
});

test('a connection that is none of OpenShift AI is told beforehand', async () => {
  const { answer } = store();
  const { world } = await servedCluster((one) =>
    one.key.endsWith('/secrets/minio') ? [200, { metadata: { name: 'minio', uid: 'm' } }] : answer(one),
  );
  const options = KserveOptions.parse({ kind: 'kserve', connection: { secret: 'minio' } });
  const { modelSecret: _none, ...open } = spec;
  const mark = { ...markOf(), target: options, spec: open };
  const findings = await preview(world, { ...request, mark }, options);
  expect(findings.map(({ message }) => message)).toEqual([
    'The Secret minio in namespace llm is no connection of OpenShift AI: it lacks the annotation opendatahub.io/connection-type-protocol.',
  ]);
});

test('a runtime that is named and not there is told beforehand, but for a cluster that has no KServe', async () => {
  const options = KserveOptions.parse({ kind: 'kserve', runtime: { use: 'theirs' } });
  const mark = { ...open, target: options };
  const known = await servedCluster(store().answer);
  const findings = await preview(known.world, { ...request, mark }, options);
  expect(findings.map(({ evidence }) => evidence)).toEqual([
    ['ServingRuntime theirs', 'ClusterServingRuntime theirs'],
  ]);
  const unknown = await servedCluster(({ key }) =>
    key.startsWith('PATCH')
      ? [404, { message: 'the server could not find the requested resource' }]
      : store().answer({ key, accept: '', body: null, query: new URLSearchParams() }),
  );
  const without = await preview(unknown.world, { ...request, mark }, options);
  expect(without.map(({ evidence }) => evidence)).toEqual([['KUBE_KIND_MISSING']]);
});
