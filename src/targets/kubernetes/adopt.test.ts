import { expect, test } from 'vitest';
import { bareSpec } from '../../../test/support/bare-spec.ts';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { adoptedAnnotation, markAnnotation, writtenAnnotation } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { writtenText } from '../../kube/written.ts';
import { adopt, disown } from './adopt.ts';
import { foreignWorkloads } from './foreign.ts';
import { KubernetesOptions } from './options.ts';
import { readBack } from './rerender.ts';

const deployments = '/apis/apps/v1/namespaces/llm/deployments';
const one = `${deployments}/qwen`;

const services = '/api/v1/namespaces/llm/services';
const ownService = `${services}/qwen-berth`;

const mark: Mark = {
  fleet: 'lab',
  fleetId: 'k3x9q2',
  deployment: 'qwen',
  replica: 0,
  target: KubernetesOptions.parse({
    kind: 'kubernetes',
    selector: { app: 'qwen' },
    service: { name: 'qwen-berth' },
  }),
  address: '127.0.0.1',
  port: 8000,
  logFile: '',
  declared: {},
  spec: {
    ...bareSpec,
    program: { binary: 'vllm', images: { cpu: 'vllm:1' } },
    args: ['--port', { hole: 'port' }],
  },
};

const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };

const instance = {
  object: { target: 'kubernetes', id: 'u-1', name: 'deployment qwen' },
  mark,
} as unknown as Instance;

function spec(annotations?: object, image = 'vllm:1'): Record<string, unknown> {
  const metadata = { labels: { app: 'qwen' }, ...(annotations ? { annotations } : {}) };
  return { replicas: 1, template: { metadata, spec: { containers: [{ name: 'vllm', image }] } } };
}

/** A Deployment that was adopted as it was `found`, and is `now` so. */
function adopted(
  now: object,
  { found = now, owned = [] }: { found?: object; owned?: object[] } = {},
): object {
  const annotations = {
    [markAnnotation]: '{}',
    [writtenAnnotation]: writtenText([{ ...kind, metadata: { name: 'qwen' }, spec: found }]),
    [adoptedAnnotation]: '2026-01-01T00:00:00Z',
  };
  const metadata = { name: 'qwen', uid: 'u-1', resourceVersion: '7', annotations, managedFields: owned };
  return { ...kind, metadata, spec: now };
}

function answering(live: object): (asked: Asked) => readonly [number, unknown] | undefined {
  return ({ key }) => {
    if (key === `GET ${one}` || key === `PATCH ${one}`) return [200, live];
    return key.startsWith('GET ') && !key.endsWith(ownService) ? [200, { items: [] }] : undefined;
  };
}

test("a restart of berth's is no change of others, though its pods had no annotation before", async () => {
  const restarted = { 'berth.dev/restarted-at': '2026-01-02T00:00:00Z' };
  const { world } = await servedCluster(answering(adopted(spec(restarted), { found: spec() })));
  expect(await readBack(world, instance)).toEqual([]);
});

test('what others note in its pods or change of them is told', async () => {
  const live = adopted(spec({ note: 'x' }, 'vllm:2'), { found: spec() });
  const { world } = await servedCluster(answering(live));
  const fields = (await readBack(world, instance)).map(({ field }) => field);
  expect(fields).toEqual([
    expect.stringMatching(/template\.metadata\.annotations\.note$/),
    expect.stringMatching(/containers\.vllm\.image$/),
  ]);
});

test('a mark is taken off by applying nothing; a spec that a broken change had taken over is handed on before', async () => {
  const marks = { 'f:metadata': { 'f:annotations': {} } };
  const own = { manager: 'berth', operation: 'Apply', apiVersion: 'apps/v1', fieldsV1: marks };
  async function bodies(owned: object): Promise<unknown[]> {
    const { world, asked } = await servedCluster(answering(adopted(spec(), { owned: [owned] })));
    expect(await disown(world, instance)).toBe(true);
    return asked.filter(({ key }) => key.startsWith('PATCH ')).map(({ body }) => body);
  }
  const nothing = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'qwen', uid: 'u-1' } };
  expect(await bodies(own)).toEqual([nothing]);
  const taken = { ...own, fieldsV1: { ...marks, 'f:spec': { 'f:template': {} } } };
  expect(await bodies(taken)).toEqual([
    [
      { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
      {
        op: 'replace',
        path: '/metadata/managedFields',
        value: [own, expect.objectContaining({ manager: 'before-berth', operation: 'Update' })],
      },
    ],
    nothing,
  ]);
});

/** A cluster with a Deployment of others that gets a mark, and what is there under the name of berth's Service. */
async function adopting({
  service,
  conflict = false,
}: {
  service?: object;
  conflict?: boolean;
}): Promise<{ taken: Promise<unknown>; asked: Asked[] }> {
  const live = { ...kind, metadata: { name: 'qwen', uid: 'u-1' }, spec: spec() };
  let there = service;
  const { world, asked } = await servedCluster(({ key, body }) => {
    if (key === `PATCH ${ownService}`)
      there = {
        ...(body as object),
        metadata: { name: 'qwen-berth', uid: 's', labels: (body as KubeObject).metadata.labels },
      };
    if (key.endsWith(ownService)) return there === undefined ? undefined : [200, there];
    const causes = [{ reason: 'FieldManagerConflict', field: '.metadata', message: 'conflict with "helm"' }];
    if (key === `PATCH ${one}` && conflict) return [409, { message: 'no', details: { causes } }];
    return key.endsWith(one) ? [200, live] : undefined;
  });
  const foreign = { process: null, unit: null, workload: { name: 'qwen', uid: 'u-1' } };
  return { taken: adopt(world, foreign, mark), asked };
}

function changes(asked: readonly Asked[]): string[] {
  return asked.filter(({ key }) => !key.startsWith('GET ')).map(({ key }) => key);
}

test("berth's Service leads by number to the pods of others, and comes before the mark", async () => {
  const { taken, asked } = await adopting({});
  await taken;
  expect(changes(asked)).toEqual([`PATCH ${ownService}`, `PATCH ${one}`]);
  const body = asked.find(({ key }) => key === `PATCH ${ownService}`)?.body as KubeObject;
  expect(body['spec']).toEqual({
    type: 'ClusterIP',
    selector: { app: 'qwen' },
    ports: [{ name: 'http', port: 8000, targetPort: 8000, protocol: 'TCP' }],
  });
  expect(body.metadata.labels).toMatchObject({ 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9q2' });
});

test("without the mark berth's Service goes again, unless it was there before", async () => {
  const anew = await adopting({ conflict: true });
  await expect(anew.taken).rejects.toMatchObject({ code: 'KUBE_CONFLICT' });
  expect(changes(anew.asked).at(-1)).toBe(`DELETE ${ownService}`);
  const labels = { 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9q2' };
  const before = { metadata: { name: 'qwen-berth', uid: 's', labels } };
  const again = await adopting({ service: before, conflict: true });
  await expect(again.taken).rejects.toMatchObject({ code: 'KUBE_CONFLICT' });
  expect(changes(again.asked).at(-1)).toBe(`PATCH ${one}`);
});

test('a Service of others under that name is refused before anything is changed', async () => {
  const { taken, asked } = await adopting({ service: { metadata: { name: 'qwen-berth', uid: 's' } } });
  await expect(taken).rejects.toMatchObject({ code: 'KUBE_NAME_TAKEN' });
  expect(changes(asked)).toEqual([]);
});

test("disown takes berth's Service away, and leaves one of others", async () => {
  async function gone(labels: object): Promise<string[]> {
    const found = { metadata: { name: 'qwen-berth', uid: 's', labels } };
    const { world, asked } = await servedCluster((one) =>
      one.key.endsWith(ownService) ? [200, found] : answering(adopted(spec()))(one),
    );
    expect(await disown(world, instance)).toBe(true);
    return changes(asked).filter((key) => key.startsWith('DELETE '));
  }
  expect(await gone({ 'berth.dev/fleet': 'lab', 'berth.dev/fleet-id': 'k3x9q2' })).toEqual([
    `DELETE ${ownService}`,
  ]);
  expect(await gone({})).toEqual([]);
});

test('a Service is asked at its own port, and one without an address at the port of its pods', async () => {
  const ports = [{ port: 80, targetPort: 8000 }];
  const spec = { selector: { app: 'qwen' }, ports };
  const { world } = await servedCluster(({ key }) => {
    if (!key.endsWith('/services')) return [200, { items: [] }];
    const headless = { metadata: { name: 'pods', uid: 's-2' }, spec: { ...spec, clusterIP: 'None' } };
    return [200, { items: [{ metadata: { name: 'front', uid: 's-1' }, spec }, headless] }];
  });
  const { services } = await foreignWorkloads(world);
  expect(services.map(({ name, ways }) => [name, ways])).toEqual([
    ['front', [{ port: 80, target: 8000 }]],
    ['pods', [{ port: 8000, target: 8000 }]],
  ]);
});

test('kinds that are only told may be hidden, and Deployments may not', async () => {
  const forbidden = [
    403,
    { message: 'it is forbidden: User "bob" cannot list', reason: 'Forbidden' },
  ] as const;
  const workload = { metadata: { name: 'qwen', uid: 'u-1' }, spec: spec() };
  const few = await servedCluster(({ key }) => {
    if (key === `GET ${deployments}`) return [200, { items: [workload] }];
    return key.endsWith('/services') ? [200, { items: [] }] : forbidden;
  });
  const { workloads, hidden } = await foreignWorkloads(few.world);
  expect(workloads.map(({ name }) => name)).toEqual(['qwen']);
  expect(hidden).toEqual(['StatefulSet', 'DaemonSet']);
  const none = await servedCluster(() => forbidden);
  await expect(foreignWorkloads(none.world)).rejects.toMatchObject({ code: 'KUBE_FORBIDDEN' });
});
