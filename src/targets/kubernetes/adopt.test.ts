import { expect, test } from 'vitest';
import { servedCluster } from '../../../test/support/kube-server.ts';
import type { Asked } from '../../../test/support/kube-server.ts';
import type { Instance } from '../../domain/instance.ts';
import { adoptedAnnotation, markAnnotation, writtenAnnotation } from '../../kube/names.ts';
import { writtenText } from '../../kube/written.ts';
import { disown } from './adopt.ts';
import { foreignWorkloads } from './foreign.ts';
import { readBack } from './rerender.ts';

const deployments = '/apis/apps/v1/namespaces/llm/deployments';
const one = `${deployments}/qwen`;

const instance = {
  object: { target: 'kubernetes', id: 'u-1', name: 'deployment qwen' },
  mark: { deployment: 'qwen', replica: 0, target: { kind: 'kubernetes', selector: { app: 'qwen' } } },
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
  const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
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
    return key.startsWith('GET ') ? [200, { items: [] }] : undefined;
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
