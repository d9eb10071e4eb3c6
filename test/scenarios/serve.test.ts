import { mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { freePorts, makePlace, until } from '../support/berth.ts';
import type { Place, Running } from '../support/berth.ts';
import { json, startScriptedEngine } from '../support/scripted-engine.ts';
import { kubeconfigFor, slice, startSliceServer } from '../support/slice-server.ts';
import type { SliceServer } from '../support/slice-server.ts';

vi.setConfig({ testTimeout: 180_000 });

const toy = { 'berth.dev/fleet-id': 'k3x9', 'app.kubernetes.io/name': 'toy' };
const big = { 'serving.kserve.io/inferenceservice': 'big', component: 'predictor' };

let place: Place;
let cluster: SliceServer;
let gateway: string;

beforeEach(async () => {
  place = makePlace();
  cluster = await startSliceServer();
  const [port = 0] = await freePorts(1);
  gateway = `http://127.0.0.1:${port}`;
  place.env['KUBECONFIG'] = `${place.folder}/kubeconfig`;
  place.write(kubeconfigFor(cluster.url), 'kubeconfig');
  place.write(`version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models: {m: {source: /srv/m.gguf}, c: {source: "pvc://claim/m"}}
gateway: {listen: ["127.0.0.1:${port}"], limits: {probe: 1h}}
deployments:
  toy: {model: m, engine: {kind: llama.cpp, slots: 2}, target: {kind: kubernetes}}
  big: {model: c, replicas: 2, engine: {kind: vllm}, target: {kind: kserve}}
`);
});

afterEach(async () => {
  await place.close();
  await cluster.stop();
});

/** One that answers with its name; gives its port. */
async function engine(name: string): Promise<number> {
  const started = await startScriptedEngine({
    pages: { '/health': '{}' },
    answer: (reply) => json(reply, 200, { choices: [{ index: 0, text: name, finish_reason: 'stop' }] }),
  });
  onTestFinished(() => started.close());
  return Number(new URL(started.url).port);
}

/** Who answered; a number: the status of a refusal. */
async function ask(model: string): Promise<string | number> {
  try {
    const reply = await fetch(`${gateway}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, prompt: 'a', max_tokens: 1 }),
      signal: AbortSignal.timeout(20_000),
    });
    const body = (await reply.json()) as { choices?: { text: string }[] };
    return body.choices?.[0]?.text ?? reply.status;
  } catch {
    return 0;
  }
}

function serve(...more: string[]): Running {
  return place.spawn('serve', '--context', 'k3s', '--namespace', 'llm', ...more);
}

test('berth serve hears of pods of Deployments and of InferenceServices, and serves on without the API server', async () => {
  cluster.put(slice('toy-1', toy, { port: await engine('first') }));
  const running = serve();
  await until(async () => (await ask('toy')) === 'first', 'the engine that was there');
  expect(running.output().stderr).toContain('from toy-1');

  cluster.put(slice('big-x', big, { port: await engine('of KServe'), name: '' }));
  await until(async () => (await ask('big')) === 'of KServe', 'the engine of KServe');
  cluster.put(slice('toy-1', toy, { port: await engine('second') }));
  await until(async () => (await ask('toy')) === 'second', 'the other port');
  const questions = cluster.asked.length;

  await cluster.stop();
  await until(
    () => running.output().stderr.includes('The engines are as they were last seen'),
    'it to be told',
  );
  expect([await ask('toy'), await ask('big')]).toEqual(['second', 'of KServe']);
  cluster.remove('uid-toy-1');
  cluster.put(slice('toy-2', toy, { port: await engine('third') }));
  await cluster.start();
  await until(async () => (await ask('toy')) === 'third', 'what came meanwhile');
  expect(running.output().stderr).toContain('The cluster answers again');
  // Told once the gateway has it: before that the last line may be one without any pod of toy.
  await until(() => running.output().stderr.includes('toy-2'), 'the new pod to be told');
  // Two lists, and watches of theirs: nothing is asked again and again.
  expect(cluster.asked.slice(0, questions).filter((query) => query.get('watch') === null)).toHaveLength(2);

  // Without its last pod a deployment's requests wait for the next one.
  cluster.remove('uid-toy-2');
  await until(() => running.output().stderr.trimEnd().endsWith('Serving from big-x'), 'no pod of toy');
  const waiting = ask('toy');
  const port = await engine('fourth');
  await new Promise((done) => setTimeout(done, 200));
  cluster.put(slice('toy-3', toy, { port }));
  // All that comes within half a second of that is taken in together: here that it goes again, and a file in another order.
  await new Promise((done) => setTimeout(done, 200));
  const [, file = '', first = '', second = ''] =
    /^(.*\n)( {2}toy: .*\n)( {2}big: .*\n)$/s.exec(readFileSync(join(place.folder, 'berth.yaml'), 'utf8')) ??
    [];
  place.write(file + second + first);
  running.child.kill('SIGHUP');
  cluster.remove('uid-toy-3');
  expect(await waiting).toBe('fourth');
  const answers = new Set<string | number>();
  let over = false;
  const asking = Array.from({ length: 8 }, async () => {
    while (!over) answers.add(await ask('toy'));
  });
  await until(() => running.output().stderr.includes('was read again'), 'the file to be read again');
  cluster.put(slice('toy-4', toy, { port: await engine('fifth') }));
  await until(() => answers.has('fifth'), 'the next engine');
  over = true;
  await Promise.all(asking);
  // A number is a refusal.
  expect([...answers].filter((one) => typeof one === 'number')).toEqual([]);

  running.child.kill('SIGTERM');
  expect(await running.exited).toBe(0);
});

test('where nobody may watch, berth serve says so and asks', async () => {
  cluster.refuses = 403;
  const running = serve();
  await until(() => running.output().stderr.includes('asked for each second'), 'it to be told');
  expect(running.output().stderr).toContain('nobody may watch');
  cluster.put(slice('toy-1', toy, { port: await engine('asked for') }));
  await until(async () => (await ask('toy')) === 'asked for', 'the engine');
});

test('a fleet whose servers are all named by the file is served where no cluster is', async () => {
  const port = await engine('by name');
  place.write(`version: 1
fleet: lab
gateway: {listen: ["${gateway.slice('http://'.length)}"]}
deployments: {far: {engine: {kind: openai, url: "http://127.0.0.1:${port}/v1"}}}
`);
  const running = place.spawn('serve');
  await until(async () => (await ask('far')) === 'by name', 'the server to be asked');
  expect(running.output().stderr).toContain('from the servers that the file names');
  expect(cluster.asked).toEqual([]);

  // A change is taken in without an end of what is under way, and a file with a fault is not.
  const file = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  place.write(
    `${file}gateway: {routes: {nick: {to: far}}, listen: ["${new URL(gateway).host}"]}`.replace(
      /^gateway: .*\n/m,
      '',
    ),
  );
  running.child.kill('SIGHUP');
  await until(async () => (await ask('nick')) === 'by name', 'the new route');
  place.write(file.replace('fleet: lab', 'fleet: other'));
  running.child.kill('SIGHUP');
  await until(() => running.output().stderr.includes('that of another fleet'), 'it to be refused');
  place.write(`${file}nonsense: true\n`);
  running.child.kill('SIGHUP');
  await until(() => running.output().stderr.includes('stays: The fleet file has a fault'), 'the fault');
  expect(await ask('nick')).toBe('by name');
  running.child.kill('SIGTERM');
  expect(await running.exited).toBe(0);

  place.write(`version: 1
fleet: lab
models: {m: {source: /srv/m.gguf}}
deployments: {toy: {model: m, engine: {kind: llama.cpp}}}
`);
  const without = await place.berth('serve');
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('this is no pod')]);
});

/** An address of this machine where nobody else listens at the port of the web. */
const knative = '127.80.3.4';
const needsRoot = process.getuid?.() === 0 ? '' : ' (skipped: port 80 is for root)';

test.skipIf(needsRoot !== '')(
  `an engine of Knative is asked by the URL of its service, by whose name Knative finds it${needsRoot}`,
  async () => {
    const hosts = new Set<string | undefined>();
    const server = createServer((request, response) => {
      hosts.add(request.headers.host);
      request.resume();
      const text = { choices: [{ index: 0, text: 'of Knative', finish_reason: 'stop' }] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(text));
    });
    await new Promise<void>((done) => server.listen(80, knative, done));
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    // Names of Services are known in a cluster alone.
    place.write(
      `const dns = require('node:dns');
const { lookup } = dns;
dns.lookup = (name, options, done) => {
  if (name !== 'chat-predictor.llm.svc') return lookup(name, options, done);
  if (options.all) return done(null, [{ address: '${knative}', family: 4 }]);
  return done(null, '${knative}', 4);
};
`,
      'names.cjs',
    );
    place.env['NODE_OPTIONS'] = `--require "${place.folder}/names.cjs"`;
    place.write(`version: 1
fleet: lab
id: k3x9
hosts: {k3s: {kubernetes: {context: k3s, namespace: llm}}}
models: {c: {source: "pvc://claim/m"}}
gateway: {listen: ["${new URL(gateway).host}"], limits: {probe: 1h}}
deployments:
  chat: {model: c, engine: {kind: vllm}, target: {kind: kserve, mode: Knative}}
`);
    const running = serve();
    await until(async () => (await ask('chat')) === 'of Knative', 'the engine of Knative');
    expect(running.output().stderr).toContain('from chat-predictor');
    expect([...hosts]).toEqual(['chat-predictor.llm.svc']);
  },
);

test('an engine with a key of its own is asked with it, from the folder that is named', async () => {
  const key = 'a-key-of-its-own';
  mkdirSync(join(place.folder, 'keys'));
  place.write(key, 'keys/toy');
  place.write(
    readFileSync(join(place.folder, 'berth.yaml'), 'utf8').replace(
      'toy: {model: m,',
      'toy: {model: m, ownKey: true,',
    ),
  );
  const keyed = createServer((request, reply) => {
    const text = request.headers.authorization === `Bearer ${key}` ? 'knows it' : null;
    reply.writeHead(text === null ? 401 : 200, { 'content-type': 'application/json' });
    reply.end(JSON.stringify({ choices: [{ index: 0, text, finish_reason: 'stop' }] }));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void keyed.close());
  await until(() => keyed.listening, 'the engine');
  cluster.put(slice('toy-1', toy, { port: (keyed.address() as AddressInfo).port }));
  serve('--engine-keys', `${place.folder}/keys`);
  await until(async () => (await ask('toy')) !== 0, 'the gateway');
  expect(await ask('toy')).toBe('knows it');
});
