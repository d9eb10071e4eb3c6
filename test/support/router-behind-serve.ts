import { mkdirSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import { freePorts, makePlace, until } from './berth.ts';
import { kubeconfigFor, slice, startSliceServer } from './slice-server.ts';

/** The key of the engine, which no client knows. */
export const engineKey = 'key-of-the-engine';
const clientKey = 'key-of-the-operator';

interface Asked {
  readonly what: string;
  readonly keyed: boolean;
}

/**
 * `berth serve` in front of a pod with a llama-server that routes over the models "one" and "two", of which one fits at a time, and that
 * has a key of its own. Whatever it is asked goes through a door that lets nothing in without that key, less than the server itself does;
 * gives what came to that door.
 */
export async function askRouterBehindServe(
  router: string,
): Promise<{ paths: string[]; withoutKey: string[] }> {
  const door = await keyedDoor(router);
  const url = await serveRouterAt(door.port);
  const states = statesBy(url);
  await until(async () => (await states())['two'] === 'unloaded', 'its models to be routes');
  expect(await states()).toMatchObject({ router: 'ready', one: 'unloaded', two: 'unloaded' });

  const completion = await ask(url, '/v1/completions', { model: 'one', prompt: 'a', max_tokens: 2 });
  expect([completion.status, await completion.json()]).toEqual([
    200,
    expect.objectContaining({ choices: [expect.objectContaining({ text: expect.any(String) })] }),
  ]);
  await until(async () => (await states())['one'] === 'ready', 'the model to be told as loaded');
  const slots = await ask(url, '/upstream/one/slots?model=one');
  expect([slots.status, await slots.json()]).toEqual([200, [expect.objectContaining({ id: 0 })]]);

  const unloaded = await ask(url, '/unload/one', {});
  expect([unloaded.status, await unloaded.json()]).toEqual([200, { unloading: ['one'] }]);
  await until(async () => (await states())['one'] === 'unloaded', 'it to be unloaded');
  expect((await ask(url, '/upstream/two/models/load', { model: 'two' })).status).toBe(200);
  await until(async () => (await states())['two'] === 'ready', 'the other to be loaded');
  expect((await ask(url, '/upstream/two/models')).status).toBe(200);

  await until(() => door.asked.some(({ what }) => what === 'GET /health'), 'its health to be asked');
  return {
    paths: [...new Set(door.asked.map(({ what }) => what))].toSorted(),
    withoutKey: door.asked.filter(({ keyed }) => !keyed).map(({ what }) => what),
  };
}

/** All that such a server is asked, with the key. */
export const allWithKey = {
  paths: [
    'GET /health',
    'GET /models',
    'GET /slots',
    'GET /v1/models',
    'POST /models/load',
    'POST /models/unload',
    'POST /v1/completions',
  ],
  withoutKey: [],
};

/** The address of its gateway, once that answers. */
async function serveRouterAt(enginePort: number): Promise<string> {
  const place = makePlace();
  const cluster = await startSliceServer();
  onTestFinished(async () => {
    await place.close();
    await cluster.stop();
  });
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  place.env['KUBECONFIG'] = `${place.folder}/kubeconfig`;
  place.write(kubeconfigFor(cluster.url), 'kubeconfig');
  mkdirSync(`${place.folder}/keys`);
  place.write(engineKey, 'keys/router');
  place.write(clientKey, 'operator');
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
gateway: {listen: ["127.0.0.1:${port}"], masterKey: "\${file:./operator}", limits: {probe: 1s}}
deployments:
  router: {ownKey: true, engine: {kind: llama-router, modelsDir: /srv/models, modelsMax: 1}, target: {kind: kubernetes}}
`);
  const labels = { 'berth.dev/fleet-id': 'k3x9', 'app.kubernetes.io/name': 'router' };
  cluster.put(slice('router-1', labels, { port: enginePort }));
  const running = place.spawn(
    'serve',
    '--context',
    'k3s',
    '--namespace',
    'llm',
    '--engine-keys',
    `${place.folder}/keys`,
  );
  await until(
    () => running.child.exitCode !== null || running.output().stderr.includes('from router-1'),
    'the gateway',
  );
  expect(running.child.exitCode, running.output().stderr).toBeNull();
  return url;
}

function ask(url: string, path: string, body?: unknown): Promise<Response> {
  return fetch(url + path, {
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    headers: { authorization: `Bearer ${clientKey}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(60_000),
  });
}

/** How far each model is, as the gateway lists them. */
function statesBy(url: string): () => Promise<Record<string, string>> {
  return async () => {
    const { data } = (await (await ask(url, '/v1/models')).json()) as {
      data: { id: string; status: string }[];
    };
    return Object.fromEntries(data.map(({ id, status }) => [id, status]));
  };
}

/** Passes on what has the engine's key, and refuses all else, also what servers of llama.cpp tell everybody. */
async function keyedDoor(target: string): Promise<{ port: number; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = http.createServer((request, reply) => {
    const { method, url = '', headers } = request;
    const keyed = headers.authorization === `Bearer ${engineKey}`;
    asked.push({ what: `${method} ${url.replace(/\?.*/, '')}`, keyed });
    if (!keyed) return void reply.writeHead(401).end('{}');
    const on = http.request(new URL(url, target), { method, headers }, (answer) => {
      reply.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(reply);
    });
    on.on('error', () => reply.destroy());
    request.pipe(on);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, asked };
}
