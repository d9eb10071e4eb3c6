import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Mark } from '../../src/domain/instance.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { KserveOptions } from '../../src/targets/kserve/options.ts';
import { podAnswer, podMark } from '../support/cluster-pod.ts';
import { servedCluster } from '../support/kube-server.ts';
import type { Asked } from '../support/kube-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const canary = 'sk-of-the-operator';
const ready = { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.env['CANARY'] = canary;
  place.write(canary, 'MY_KEY');
  place.env['HF_TOKEN'] = 'hf-of-the-operator';
});
afterEach(() => place.close());

function write(): void {
  place.write(
    [
      'version: 1',
      `fleet: ${podMark.fleet}`,
      `id: ${podMark.fleetId}`,
      'hosts: {box: {kubernetes: {context: k3s, namespace: llm}}}',
      'models: {m: {source: "hf://a/b", secret: "${env:HF_TOKEN}"}}',
      'deployments:',
      `  chat: {host: box, model: m, engine: {kind: vllm, startTimeout: 5s}, target: {kind: kubernetes, image: "a/b:1", entrypoint: [serve]}}`,
    ].join('\n'),
  );
}

/** A server in the place of the pod, and what it was sent. */
async function listening(): Promise<{ port: number; sent: string[] }> {
  const sent: string[] = [];
  const server = createServer((request, reply) => {
    sent.push(request.headers.authorization ?? '');
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"data": []}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, sent };
}

function markWith(secrets: Mark['spec']['secrets'], port = 8080): Mark {
  return { ...podMark, port, spec: { ...podMark.spec, secrets } };
}

/** A namespace in which somebody has written this mark, and what ran before it. */
async function written(mark: Mark, before: Mark | null = null): Promise<readonly Asked[]> {
  const { world, asked } = await servedCluster((one) => {
    if (/^(POST|PUT|PATCH) .*\/leases/.test(one.key)) return [200, one.body];
    const answer = podAnswer(one, ready, mark);
    if (before === null || !one.key.endsWith('/deployments/chat') || !answer) return answer;
    const live = answer[1] as { metadata: { annotations: object } };
    const { target, address, port, declared, spec } = before;
    const state = { at: '2026-01-01T00:00:00.000Z', target, address, port, pinned: true, declared, spec };
    const ran = JSON.stringify({ version: 1, states: [state] });
    const annotations = { ...live.metadata.annotations, 'berth.dev/ran': ran };
    return [200, { ...live, metadata: { ...live.metadata, annotations } }];
  });
  place.env['KUBECONFIG'] = world.home?.env['KUBECONFIG'] ?? '';
  return asked;
}

test.each([
  ['a variable', () => ({ env: 'CANARY' })],
  ['a file', () => ({ file: join(place.folder, 'MY_KEY') })],
  ['a token of a hub that the file names for it', () => ({ env: 'HF_TOKEN' })],
])('%s that a mark in a cluster names as a key is not sent to its pod, and that is told', async (_, ref) => {
  write();
  const { port, sent } = await listening();
  await written(markWith({ key: ref() }, port));
  const status = await askedBy(sent);
  await place.berth('verify');
  await place.berth('plan');
  expect(new Set(sent)).toEqual(new Set(['']));
  const [found] = status.findings.filter(({ rule }) => rule === 'secret-not-named');
  expect(found).toMatchObject({ object: 'chat', message: expect.stringContaining('chat') as string });
});

test('what ran before, as a cluster has it, brings no secret into it that the file does not name', async () => {
  write();
  const asked = await written(markWith({}), markWith({ hub: { env: 'CANARY' } }));
  const back = await place.berth('rollback', 'chat', '--yes');
  expect(back.code).toBe(2);
  expect(back.stderr).toContain('CANARY, which the fleet file does not name for chat');
  expect(back.stderr).toContain('name it in the fleet file for chat again');
  expect(asked.some(({ body }) => JSON.stringify(body).includes(encoded(canary)))).toBe(false);
});

test('one that the file still names comes back with what ran before', async () => {
  write();
  const { port } = await listening();
  const asked = await written(markWith({}, port), markWith({ hub: { env: 'HF_TOKEN' } }, port));
  const back = await place.berth('rollback', 'chat', '--yes');
  expect(back.stderr).not.toContain('does not name');
  expect(
    asked.filter(({ body }) => JSON.stringify(body).includes(encoded('hf-of-the-operator'))),
  ).not.toEqual([]);
});

test('what ran before, as a cluster has it, is not given the key of its deployment as another kind of object', async () => {
  write();
  const { port } = await listening();
  const state = join(place.folder, 'state', 'state', 'lab-k3x9', 'engine-keys');
  mkdirSync(state, { recursive: true });
  place.write('made-by-berth', 'state/state/lab-k3x9/engine-keys/chat');
  const target = KserveOptions.parse({ kind: 'kserve', image: 'a/b:1' });
  const before = { ...markWith({ key: { file: join(state, 'chat') } }, port), target };
  const asked = await written(markWith({}, port), before);
  const back = await place.berth('rollback', 'chat', '--yes');
  expect(back.stdout + back.stderr).toContain('which the fleet file does not name for chat');
  expect(asked.filter(({ body }) => JSON.stringify(body).includes(encoded('made-by-berth')))).toEqual([]);
});

test('the key that berth itself has made for an engine is sent to it', async () => {
  write();
  const { port, sent } = await listening();
  const state = join(place.folder, 'state', 'state', 'lab-k3x9', 'engine-keys');
  mkdirSync(state, { recursive: true });
  place.write('made-by-berth', 'state/state/lab-k3x9/engine-keys/chat');
  await written(markWith({ key: { file: join(state, 'chat') } }, port));
  const status = await askedBy(sent);
  expect(new Set(sent)).toEqual(new Set(['Bearer made-by-berth']));
  expect(status.findings.filter(({ rule }) => rule === 'secret-not-named')).toEqual([]);
});

test('a kept plan is carried out with the secrets that it names, without the file being read', async () => {
  write();
  const { port } = await listening();
  const asked = await written(markWith({}, port));
  expect((await place.berth('plan', '--out', 'kept.json')).stderr).not.toContain('does not name');
  const done = await place.berth('apply', 'kept.json', '--yes');
  expect(done.stderr).not.toContain('does not name');
  expect(
    asked.filter(({ body }) => JSON.stringify(body).includes(encoded('hf-of-the-operator'))),
  ).not.toEqual([]);
});

/** The status of who has asked the engine, which a busy machine may not reach at once. */
function askedBy(sent: readonly string[]): Promise<FleetStatus> {
  return until(async () => {
    const status = (await place.berth('status', '--json')).json() as FleetStatus;
    return sent.length > 0 ? status : null;
  }, 'the engine to be asked');
}

/** As a Secret has it. */
function encoded(text: string): string {
  return Buffer.from(text).toString('base64');
}
