import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { kubeconfigFor } from '../support/slice-server.ts';

vi.setConfig({ testTimeout: 180_000 });

let place: Place;
let gateway: number;

beforeEach(async () => {
  place = makePlace();
  [gateway = 0] = await freePorts(1);
});

afterEach(() => place.close());

/** An API server without any pod, which answers nothing before it is told to. */
async function startHeldCluster(): Promise<{ asked: () => boolean; answer: () => void }> {
  const go = Promise.withResolvers<void>();
  let asked = false;
  const server = createServer((request, reply) => {
    asked = true;
    reply.setHeader('content-type', 'application/json');
    void go.promise.then(() =>
      request.url?.includes('watch=')
        ? reply.flushHeaders()
        : reply.end('{"metadata": {"resourceVersion": "1"}, "items": []}'),
    );
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  place.env['KUBECONFIG'] = `${place.folder}/kubeconfig`;
  place.write(kubeconfigFor(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), 'kubeconfig');
  return { asked: () => asked, answer: () => go.resolve() };
}

/** Routes that the gateway offers; none before it is open. */
async function offered(): Promise<string[]> {
  try {
    const reply = await fetch(`http://127.0.0.1:${gateway}/v1/models`);
    return ((await reply.json()) as { data: { id: string }[] }).data.map(({ id }) => id);
  } catch {
    return [];
  }
}

test('a SIGHUP before berth serve has opened its gateway has it read the file again once that is open', async () => {
  const cluster = await startHeldCluster();
  function write(routes: string): void {
    place.write(`version: 1
fleet: lab
models: {m: {source: /srv/m.gguf}}
gateway: {listen: ["127.0.0.1:${gateway}"], routes: ${routes}}
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
deployments: {toy: {model: m, engine: {kind: llama.cpp}, target: {kind: kubernetes}}}
`);
  }
  write('{}');
  const running = place.spawn('serve', '--context', 'k3s', '--namespace', 'llm');
  await until(cluster.asked, 'the cluster to be asked');
  write('{nick: {to: toy}}');
  running.child.kill('SIGHUP');
  running.child.kill('SIGHUP');
  cluster.answer();
  await until(async () => (await offered()).includes('nick'), 'the route that came meanwhile', 20_000);
  expect(running.output().stderr.match(/was read again/g)).toHaveLength(1);

  running.child.kill('SIGTERM');
  expect(await running.exited).toBe(0);
});

test.each([
  ['a SIGHUP before berth up has opened its gateway', false],
  ['a change of the file before berth up --watch has opened its gateway', true],
] as const)('%s has it read the file again once that is open', async (_, watches) => {
  const gate = join(place.folder, 'gate');
  const [port = 0] = await freePorts(1);
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--gate', gate]);
  function write(routes: string): void {
    place.write(`version: 1
fleet: lab
gateway: {listen: ["127.0.0.1:${gateway}"], routes: ${routes}}
console: {listen: "127.0.0.1:0"}
deployments: {toy: {port: ${port}, engine: {kind: command, command: ${command}}}}
`);
  }
  write('{}');
  const running = place.spawn('up', '--ephemeral', ...(watches ? ['--watch'] : []));
  await until(
    () =>
      fetch(`http://127.0.0.1:${port}/health`).then(
        () => true,
        () => false,
      ),
    'the engine that loads',
  );
  write('{nick: {to: toy}}');
  if (!watches) running.child.kill('SIGHUP');
  writeFileSync(gate, '');
  await until(async () => (await offered()).includes('nick'), 'the route that came meanwhile', 20_000);

  running.child.kill('SIGTERM');
  expect(await running.exited).toBe(0);
});
