import http from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { doctorIn, toolIn, verdictsOf } from '../support/doctored.ts';
import type { Examined } from '../support/doctored.ts';

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(() => place.close());

const of = verdictsOf;

function tool(name: string, answers: Parameters<typeof toolIn>[2]): void {
  toolIn(place, name, answers);
}

function doctor(...args: string[]): ReturnType<typeof doctorIn> {
  return doctorIn(place, ...args);
}

const twoCards = [
  '0, GPU-1f2e, 00000000:01:00.0, NVIDIA A10, 23028, 512, 300, 3, 41, 60.1, [N/A], 550.54.15, 8.6',
  '1, GPU-2f2e, 00000000:02:00.0, NVIDIA A10, 23028, 0, 300, 0, 40, 21.0, [N/A], 550.54.15, 8.6',
  '',
].join('\n');
const page = '| NVIDIA-SMI 550.54.15   Driver Version: 550.54.15   CUDA Version: 12.4     |\n';

test('every check is made on the machine at hand, with evidence, and a cure for what is wrong', async () => {
  const { code, found } = await doctor();
  expect(found.hosts.map(({ host }) => host)).toEqual(['local']);
  const { checks } = found.hosts[0] as Examined['hosts'][0];
  expect([...new Set(checks.map(({ check }) => check))]).toEqual(
    'cpu memory disk nvidia amd vulkan programs containers container-gpus systemd cgroups limits kernel ports kubernetes clock'.split(
      ' ',
    ),
  );
  for (const { state, message, evidence, cure } of checks) {
    const wrong = ['info', 'warning', 'critical'].includes(state);
    expect([
      message,
      message.endsWith('.'),
      wrong && evidence.length === 0,
      (cure !== null) === wrong,
    ]).toEqual([message, true, false, true]);
  }
  expect(code).toBe(found.worst === 'critical' ? 8 : 0);
  const text = await place.berth('doctor', '--all');
  for (const { message } of checks.filter((one) => one.check !== 'memory' && one.check !== 'disk'))
    expect(text.stdout).toContain(message);
});

test('what the fleet file wants and the machine lacks is critical and ends with code 8', async () => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await new Promise((done) => void server.once('listening', done));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const [free = 0] = await freePorts(1);
  place.write(`version: 1
fleet: lab
hosts: {box: {ports: ${free}-${free + 3}}}
models: {m: {source: ./m.gguf}}
gateway: {listen: ["127.0.0.1:${port}"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {model: m, host: box, engine: {kind: llama.cpp, binary: no-such-llama-server}}
  b: {model: m, host: box, engine: {kind: vllm}, target: {kind: docker}}
`);
  place.env['DOCKER_HOST'] = `unix://${place.folder}/nobody.sock`;
  const { code, found } = await doctor('box');
  expect(code).toBe(8);
  expect(of(found, 'programs')).toEqual([
    expect.objectContaining({
      state: 'critical',
      message: 'no-such-llama-server is not here, and a needs it.',
    }),
  ]);
  expect(of(found, 'containers')[0]).toMatchObject({
    state: 'critical',
    evidence: [expect.stringContaining('nobody.sock')],
  });
  expect(of(found, 'ports')[0]).toMatchObject({
    state: 'warning',
    message: expect.stringMatching(
      new RegExp(`^Port ${port} of the gateway is held by process ${process.pid} \\(`),
    ),
  });
  const text = await place.berth('doctor');
  expect([text.code, text.stdout]).toEqual([
    8,
    expect.stringContaining('Cure: Install no-such-llama-server'),
  ]);
  const unknown = await place.berth('doctor', 'elsewhere');
  expect([unknown.code, unknown.stderr]).toEqual([
    2,
    expect.stringContaining('The fleet has no host elsewhere'),
  ]);
});

test('a fleet file with faults is told, not passed over', async () => {
  place.write('version: 1\nfleet: lab\ndeployments: 4\n');
  const ran = await place.berth('doctor');
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('berth.yaml:3:14')]);
});

test('GPUs of NVIDIA are told with driver and CUDA, and a deployment that wants more of them', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['-L', 'GPU 0: NVIDIA A10 (UUID: GPU-1f2e)\nGPU 1: NVIDIA A10 (UUID: GPU-2f2e)\n'],
    ['""', page],
  ]);
  place.write(`version: 1
fleet: lab
models: {m: {source: "hf://a/b"}}
deployments: {a: {model: m, gpus: 4, engine: {kind: vllm}, target: {kind: docker}}}
`);
  const { code, found } = await doctor();
  expect(code).toBe(8);
  expect(of(found, 'nvidia')).toEqual([
    expect.objectContaining({ state: 'good', message: '2 of NVIDIA, driver 550.54.15, CUDA up to 12.4.' }),
    expect.objectContaining({ state: 'critical', message: 'The engines here want 4 GPUs, and 2 are here.' }),
  ]);
});

test('a container engine that cannot hand on GPUs is told with the command that lets it', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['-L', 'GPU 0: NVIDIA A10 (UUID: GPU-1f2e)\n'],
    ['""', page],
  ]);
  const daemon = { ServerVersion: '27.1.0', Driver: 'overlay2', CgroupVersion: '2', Runtimes: { runc: {} } };
  const socket = join(place.folder, 'd.sock');
  const runtimes: Record<string, unknown>[] = [{ runc: {} }, { runc: {}, nvidia: {} }];
  let answered = 0;
  const server = http.createServer((_, reply) => {
    // Two checks ask each time.
    reply.end(JSON.stringify({ ...daemon, Runtimes: runtimes[Math.floor(answered++ / 2)] }));
  });
  server.listen(socket);
  await new Promise((done) => void server.once('listening', done));
  onTestFinished(() => void server.close());
  place.env['DOCKER_HOST'] = `unix://${socket}`;
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: "hf://a/b"}}\ndeployments: {a: {model: m, gpus: 1, engine: {kind: vllm}, target: {kind: docker}}}\n',
  );
  const without = await doctor();
  expect(of(without.found, 'container-gpus')).toEqual([
    expect.objectContaining({
      state: 'critical',
      cure: expect.stringContaining('nvidia-ctk runtime configure --runtime=docker'),
    }),
  ]);
  expect(of(without.found, 'containers')).toEqual([expect.objectContaining({ state: 'good' })]);
  const withIt = await doctor();
  expect([of(withIt.found, 'container-gpus')[0]?.state, withIt.code]).toEqual(['good', 0]);
});

test('a host that does not answer is told beside what is found of the others', async () => {
  const [closed = 0] = await freePorts(1);
  tool('ssh', [['*', '', 255]]);
  place.write(`version: 1
fleet: lab
hosts: {here: {local: true}, far: {ssh: "ssh://op@127.0.0.1:${closed}"}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {host: here, engine: {kind: command, command: [sleep, "1"]}}
  b: {host: far, engine: {kind: command, command: [sleep, "1"]}}
`);
  const { code, found } = await doctor();
  expect(code).toBe(8);
  expect(found.hosts.map(({ host }) => host).toSorted()).toEqual(['far', 'here']);
  expect(of(found, 'reach')).toEqual([
    expect.objectContaining({ state: 'critical', evidence: [expect.stringMatching(/^[A-Z_]+$/)] }),
  ]);
  expect(found.hosts.find(({ host }) => host === 'here')?.checks.length).toBeGreaterThan(5);
});

test('what is wanted of GPUs is that of all engines together, and models held in memory are by their load mode', async () => {
  tool('nvidia-smi', [
    ['--query-gpu=*', twoCards],
    ['*', '| NVIDIA-SMI 550.54.15    Driver Version: 550.54.15    CUDA Version: 12.4 |'],
  ]);
  place.write('', 'm.gguf');
  place.write(`version: 1
fleet: lab
models: {m: {source: ./m.gguf}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  a: {model: m, gpus: 1, replicas: 2, engine: {kind: llama.cpp, loadMode: mlock}}
  b: {model: m, gpus: 1, engine: {kind: llama.cpp}}
`);
  const { found } = await doctor();
  expect(of(found, 'nvidia').map(({ message }) => message)).toContain(
    'The engines here want 3 GPUs, and 2 are here.',
  );
  expect(of(found, 'limits').map(({ message }) => message)).not.toContain(
    'No engine asks to hold memory (mlock).',
  );
});
