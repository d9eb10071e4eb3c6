import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Mark } from '../../src/domain/instance.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { podAnswer, podMark } from '../support/cluster-pod.ts';
import { servedCluster } from '../support/kube-server.ts';

vi.setConfig({ testTimeout: 120_000 });

/** A mark in one namespace names a deployment that is to run in another one, with that one's own key. */

const ready = { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };

let place: Place;
let sent: string[];

beforeEach(async () => {
  place = makePlace();
  const keys = join(place.folder, 'state/state/lab-k3x9/engine-keys');
  mkdirSync(keys, { recursive: true });
  place.write('the-key-of-chat', 'state/state/lab-k3x9/engine-keys/chat');
  sent = [];
  const port = await listening();
  await marked({
    ...podMark,
    port,
    spec: { ...podMark.spec, metricsPath: '/metrics', secrets: { key: { file: join(keys, 'chat') } } },
  });
});
afterEach(() => place.close());

function write(host: string): void {
  place.write(
    [
      'version: 1',
      `fleet: ${podMark.fleet}`,
      `id: ${podMark.fleetId}`,
      'gateway: {listen: ["127.0.0.1:0"]}',
      'hosts:',
      '  one: {kubernetes: {context: k3s, namespace: llm}}',
      '  two: {kubernetes: {context: k3s, namespace: shared}}',
      'models: {m: {source: "hf://a/b"}}',
      'deployments:',
      `  chat: {host: ${host}, model: m, ownKey: true, engine: {kind: vllm, startTimeout: 5s}, target: {kind: kubernetes, image: "a/b:1", entrypoint: [serve]}}`,
      'benchmarks: {quick: {of: chat, data: {kind: synthetic, prompt: 8, output: 2}, profile: {kind: concurrent, streams: [1]}, requests: 1}}',
    ].join('\n'),
  );
}

/** A server in the place of the pod, and what it was sent. */
async function listening(): Promise<number> {
  const server = createServer((request, reply) => {
    sent.push(`${request.headers.authorization ?? ''}${String(request.headers['x-api-key'] ?? '')}`);
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"data": []}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The namespace "shared" has that mark, the other one nothing. */
async function marked(mark: Mark): Promise<void> {
  const { world } = await servedCluster((one) => {
    if (/^(POST|PUT|PATCH) .*\/leases/.test(one.key)) return [200, one.body];
    if (one.key.includes('/namespaces/shared/')) return podAnswer(one, ready, mark);
    return /\/[a-z]+s$/.test(one.key) ? [200, { items: [] }] : undefined;
  });
  place.env['KUBECONFIG'] = world.home?.env['KUBECONFIG'] ?? '';
}

function statusOnceAsked(): Promise<FleetStatus> {
  return until(async () => {
    const status = (await place.berth('status', '--json')).json() as FleetStatus;
    return sent.length > 0 ? status : null;
  }, 'the engine to be asked');
}

test('an engine where its deployment neither is to run nor was applied is asked without the key of it, and that is told', async () => {
  write('one');
  const { findings } = await statusOnceAsked();
  await place.berth('verify');
  await place.berth('top', '--once', '--interval', '0.2');
  await place.berth('bench', 'run', 'quick');
  expect(sent.length).toBeGreaterThan(3);
  expect(new Set(sent)).toEqual(new Set(['']));
  const [found] = findings.filter(({ rule }) => rule === 'out-of-place');
  expect(found).toMatchObject({
    object: 'chat',
    message: expect.stringContaining(
      'deployment chat on kubernetes://k3s/shared says that it is chat, which is not to run there and was not last applied there',
    ) as string,
  });
});

test('nor is one where its deployment ran before its last change, to which it may go back', async () => {
  const record = {
    version: 1,
    deployments: {
      chat: {
        runs: [{ machine: 'kubernetes://k3s/llm', target: 'kubernetes', secrets: [] }],
        before: [{ machine: 'kubernetes://k3s/shared', target: 'kubernetes', secrets: [] }],
      },
    },
  };
  place.write(JSON.stringify(record), 'state/state/lab-k3x9/applied-secrets.json');
  write('one');
  const { findings } = await statusOnceAsked();
  expect(new Set(sent)).toEqual(new Set(['']));
  expect(findings.map(({ rule }) => rule)).toContain('out-of-place');
});

test('one that was applied there before its file named another host is asked with its key', async () => {
  write('two');
  await place.berth('apply', '--yes');
  write('one');
  sent = [];
  const { findings } = await statusOnceAsked();
  await place.berth('top', '--once', '--interval', '0.2');
  expect(new Set(sent)).toEqual(new Set(['Bearer the-key-of-chat']));
  expect(findings.filter(({ rule }) => rule === 'out-of-place')).toEqual([]);
});
