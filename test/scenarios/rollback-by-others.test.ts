import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { markLabel } from '../../src/container/render.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Mark } from '../../src/domain/instance.ts';
import { dockerApi } from '../../src/io/docker-api.ts';
import { fakeEngine, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { startDockerServer } from '../support/docker-server.ts';
import type { DockerServer, RunBody } from '../support/docker-server.ts';

vi.setConfig({ testTimeout: 240_000 });

const isRoot = process.getuid?.() === 0;

let place: Place;
let id: string;
let hosts: string;
let daemon: DockerServer;

beforeEach(async () => {
  id = randomBytes(8).toString('hex');
  hosts = ownPorts();
  place = makePlace();
  daemon = await startDockerServer(join(place.folder, 'd.sock'), runHere);
  place.env['DOCKER_HOST'] = daemon.host;
});

afterEach(async () => {
  daemon.refuse = () => undefined;
  for (const who of ['one', 'other']) await berthOf(who, 'down');
  await daemon.close();
  await place.close();
});

/** Has what a container is to run on this machine, where what is mounted lies elsewhere. */
function runHere({ Entrypoint = [], Cmd = [], HostConfig }: RunBody): () => void {
  const mounts = (HostConfig['Mounts'] ?? []) as { Source: string; Target: string }[];
  const [command = '', ...args] = [...Entrypoint, ...Cmd].map((word) =>
    mounts.reduce((text, { Source, Target }) => text.replace(Target, Source), word),
  );
  const child = spawn(command, args, { stdio: 'ignore' });
  return () => void child.kill('SIGKILL');
}

/** Whoever has another state folder knows what lies with the engines alone. */
async function berthOf(who: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  place.env['BERTH_STATE_DIR'] = join(place.folder, who);
  const { code, stdout, stderr } = await place.berth(...args);
  return { code, said: stdout + stderr };
}

async function done(who: string, ...args: string[]): Promise<void> {
  const { code, said } = await berthOf(who, ...args);
  expect(code, said).toBe(0);
}

/** An engine that is given a template, which lies beside the fleet file when it is applied, and copies what it was given. */
function write(template: string, target: string): void {
  place.write(template, 'chat.jinja');
  place.write(`version: 1
fleet: lab
id: "${id}"
${hosts}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
models: {m: {source: "hf://a/b"}}
deployments:
  a: {model: m, engine: {kind: vllm, binary: ${program()}, accelerator: cpu, chatTemplate: ./chat.jinja, startTimeout: 60s}, target: ${target}}
`);
}

function program(): string {
  const path = join(place.folder, 'vllm');
  writeFileSync(
    path,
    `#!/bin/sh
port= template=
while [ $# -gt 0 ]; do
  case $1 in --port) port=$2 ;; --chat-template) template=$2 ;; esac
  shift
done
[ -z "$template" ] || cat "$template" >'${place.folder}/seen'
exec '${process.execPath}' '${fakeEngine}' "$port"
`,
  );
  chmodSync(path, 0o755);
  return path;
}

/** What the engine that started last was given. */
function given(): string {
  return readFileSync(join(place.folder, 'seen'), 'utf8');
}

const asProcess = '{kind: process}';

function asContainer(): string {
  return `{kind: docker, image: "a/b:1", entrypoint: ["${program()}"]}`;
}

/** What lies with the engines of this fleet. */
function kept(): { processes: string[]; containers: string[] } {
  const folder = `/run/berth/ran/lab-${id}`;
  return {
    processes: existsSync(folder) ? readdirSync(folder) : [],
    containers: daemon.volumes().map(({ Name }) => Name),
  };
}

async function expectTaken(target: string): Promise<void> {
  write('first', target);
  await done('one', 'apply');
  write('second', target);
  await done('one', 'apply');
  expect(given()).toBe('second');
  // Neither text is beside the fleet file any more, and the other one's folder has nothing.
  place.write('third', 'chat.jinja');
  await done('other', 'rollback', 'a', '--yes');
  expect(given()).toBe('first');
  await done('one', 'rollback', 'a', '--yes');
  expect(given()).toBe('second');
}

test('what ran before as a container is found by whoever may use its daemon, with what it was given, and goes with the fleet', async () => {
  await expectTaken(asContainer());
  // One text, and the files of both.
  expect(kept().containers).toHaveLength(3);
  await done('other', 'down');
  expect(kept().containers).toEqual([]);
});

test.skipIf(!isRoot)(
  "what ran before as root's process is found by whoever is root, whatever their state folder, and goes with the fleet",
  async () => {
    await expectTaken(asProcess);
    expect(kept().processes.toSorted()).toEqual(['a-0.given', 'a-0.json']);
    await done('other', 'down');
    expect(kept().processes).toEqual([]);
  },
);

test.skipIf(!isRoot)(
  'what ran before goes over to another kind of target with the engine, once it answers there and not before',
  async () => {
    write('first', asProcess);
    await done('one', 'apply');
    write('second', asContainer());
    let meanwhile: string[] = [];
    daemon.refuse = (question) => {
      if (!question.endsWith('/start')) return undefined;
      meanwhile = kept().processes;
      return [500, 'no such device'];
    };
    expect((await berthOf('one', 'apply')).code).not.toBe(0);
    expect(meanwhile).toContain('a-0.json');
    expect(given()).toBe('first');
    expect(kept()).toEqual({ processes: expect.arrayContaining(['a-0.json']) as string[], containers: [] });

    daemon.refuse = () => undefined;
    await done('one', 'apply');
    expect(given()).toBe('second');
    expect([kept().processes, kept().containers.length]).toEqual([[], 3]);
    await done('other', 'rollback', 'a', '--yes');
    expect(given()).toBe('first');
    expect([kept().processes.length, kept().containers]).toEqual([2, []]);
  },
);

test('a daemon that shows no volumes has its containers changed all the same, and who applied it alone goes back', async () => {
  daemon.refuse = (question) => (question.includes('/volumes') ? [403, 'not shown'] : undefined);
  for (const text of ['first', 'second']) {
    write(text, asContainer());
    const { code, said } = await berthOf('one', 'apply');
    expect([code, said.includes('could not be kept')], said).toEqual([0, false]);
  }
  const none = await berthOf('other', 'rollback', 'a', '--yes');
  expect(none.said).toContain('Nothing is known that a could go back to');
  await done('one', 'rollback', 'a', '--yes');
  expect(given()).toBe('first');
});

test('what was kept of a deployment goes where it is stopped for good, and stays where it is stopped by hand', async () => {
  for (const text of ['first', 'second']) {
    write(text, asProcess);
    await done('one', 'apply');
  }
  await done('one', 'stop', 'a');
  expect(own().filter((name) => /[0-9a-f]{64}/.test(name))).toHaveLength(2);
  expect(kept().processes).toHaveLength(isRoot ? 2 : 0);
  rmSync(join(place.folder, 'seen'));
  await done('one', 'start', 'a');
  expect(given()).toBe('second');
  await done('one', 'rollback', 'a', '--yes');
  expect(given()).toBe('first');

  const text = readFileSync(join(place.folder, 'berth.yaml'), 'utf8');
  place.write(text.replace(/deployments:\n.*\n/, 'deployments: {}\n'));
  await done('one', 'apply', '--yes');
  expect(own()).toEqual([]);
  expect(kept().processes).toEqual([]);
});

test('what was kept goes with the fleet, and with some of it, also where an engine has ended by itself', async () => {
  for (const text of ['first', 'second']) {
    write(text, asProcess);
    const path = join(place.folder, 'berth.yaml');
    const both = readFileSync(path, 'utf8').replace(/^  a: (.*)$/m, '  a: $1\n  a-1: $1');
    writeFileSync(path, both);
    await done('one', 'apply');
  }
  await killed('a');
  expect(own()).toEqual(expect.arrayContaining(['a-0.json', 'a-0', 'a-1-0.json', 'a-1-0']));
  await done('one', 'down', '--only', 'a');
  const left = own();
  expect(left).toEqual(expect.arrayContaining(['a-1-0.json', 'a-1-0']));
  expect(left.filter((name) => name.startsWith('a-0'))).toEqual([]);
  await killed('a-1');
  await done('one', 'down');
  expect(own()).toEqual([]);
});

test('what was kept of an engine that had crashed when it left the file goes with the next apply', async () => {
  for (const text of ['first', 'second']) {
    write(text, asProcess);
    await done('one', 'apply');
  }
  await killed('a');
  const path = join(place.folder, 'berth.yaml');
  const stated = readFileSync(path, 'utf8');
  const text = stated.replace(/^  a: (.*)$/m, '  b: $1');
  writeFileSync(path, text);
  expect((await berthOf('one', 'apply', '--only', 'b')).code).toBe(0);
  expect(own()).toEqual(expect.arrayContaining(['a-0.json', 'a-0']));
  await done('one', 'apply');
  expect(own()).toEqual(expect.arrayContaining(['b-0.json', 'b-0']));
  expect(own().filter((name) => name.startsWith('a-'))).toEqual([]);
  expect(kept().processes.filter((name) => name.startsWith('a-'))).toEqual([]);
});

test('what was kept stays while its daemon cannot be asked, where a container may go on, and goes once it can', async () => {
  for (const text of ['first', 'second']) {
    write(text, asContainer());
    await done('one', 'apply');
  }
  const expected = expect.arrayContaining(['a-0.json', 'a-0']) as string[];
  daemon.refuse = () => [500, 'out of order'];
  await berthOf('one', 'down');
  expect(own()).toEqual(expected);
  const path = join(place.folder, 'berth.yaml');
  const stated = readFileSync(path, 'utf8');
  writeFileSync(path, stated.replace(/deployments:\n.*\n/, 'deployments: {}\n'));
  await berthOf('one', 'apply', '--yes');
  expect(own()).toEqual(expected);

  daemon.refuse = () => undefined;
  writeFileSync(path, stated);
  await done('one', 'down');
  expect(own()).toEqual([]);
});

test('a folder of what was kept that cannot be read keeps nobody from a plan, and down tells it and goes on', async () => {
  write('first', asProcess);
  const path = join(place.folder, 'berth.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/deployments:\n.*\n/, 'deployments: {}\n'));
  const state = join(place.folder, `one/state/lab-${id}`);
  mkdirSync(state, { recursive: true });
  symlinkSync('given', join(state, 'given'));
  await done('one', 'apply');
  const { code, said } = await berthOf('one', 'down');
  expect(code, said).toBe(0);
  expect(said).toContain('local: what ran before could not be taken away: ELOOP');
});

/** An engine that ends as no command has it end. */
async function killed(deployment: string): Promise<void> {
  place.env['BERTH_STATE_DIR'] = join(place.folder, 'one');
  const { deployments }: FleetStatus = (await place.berth('status', '--json')).json();
  const pid = deployments.find(({ name }) => name === deployment)?.replicas[0]?.pid ?? 0;
  expect(pid).toBeGreaterThan(1);
  process.kill(pid, 'SIGKILL');
  await until(() => !existsSync(`/proc/${pid}`), `${deployment} has ended`);
}

/** What the state folder of who applies it has of engines' files and of what ran. */
function own(): string[] {
  const state = join(place.folder, `one/state/lab-${id}`);
  return ['ran', 'given', 'secrets'].flatMap((folder) =>
    existsSync(join(state, folder))
      ? readdirSync(join(state, folder), { recursive: true, encoding: 'utf8' })
      : [],
  );
}

test('what a daemon tells of a container names no file of this machine, which would go with it', async () => {
  write('first', asContainer());
  await done('one', 'apply');
  const api = dockerApi(daemon.host);
  const [own] = (await api.ask('GET', '/containers/json')).json as { Labels: Record<string, string> }[];
  const victim = join(place.folder, 'victim');
  mkdirSync(victim);
  const mark = JSON.parse(own?.Labels[markLabel] ?? '') as Mark;
  const secrets = { [`/${'../'.repeat(20)}${victim}`]: { env: 'X' } };
  const forged = { ...mark, deployment: 'b', spec: { ...mark.spec, secrets } };
  const Labels = { ...own?.Labels, [markLabel]: JSON.stringify(forged) };
  const { json } = await api.ask('POST', '/containers/create?name=b', {
    body: { Labels, Entrypoint: ['true'] },
  });
  await api.ask('POST', `/containers/${(json as { Id: string }).Id}/start`);
  const { said } = await berthOf('one', 'apply', '--yes');
  expect(existsSync(victim), said).toBe(true);
});

test('what a daemon calls the log of a container is no file of this machine, which "berth up" would cut', async () => {
  write('first', asContainer());
  await done('one', 'apply');
  const api = dockerApi(daemon.host);
  const [own] = (await api.ask('GET', '/containers/json')).json as {
    Id: string;
    Labels: Record<string, string>;
  }[];
  const { json } = await api.ask('GET', `/containers/${own?.Id}/json`);
  const { Config, HostConfig } = json as { Config: object; HostConfig: object };
  await api.ask('DELETE', `/containers/${own?.Id}`);
  const victim = join(place.folder, 'victim');
  writeFileSync(victim, '');
  truncateSync(victim, 2 ** 24);
  const mark = JSON.parse(own?.Labels[markLabel] ?? '') as Mark;
  const Labels = { ...own?.Labels, [markLabel]: JSON.stringify({ ...mark, logFile: victim }) };
  const made = await api.ask('POST', '/containers/create?name=a', {
    body: { ...Config, HostConfig, Labels },
  });
  await api.ask('POST', `/containers/${(made.json as { Id: string }).Id}/start`);
  place.env['BERTH_STATE_DIR'] = join(place.folder, 'one');
  const up = place.spawn('up');
  await until(() => up.output().stdout.includes('is up.'), 'the fleet to be up', 60_000);
  await sleep(4_000);
  expect(statSync(victim).size).toBe(2 ** 24);
});

test('a daemon elsewhere has nobody start a process on this machine; who applied it goes back all the same', async () => {
  const relay = createServer((client) => {
    const there = connect(daemon.host.replace('unix://', ''));
    client.pipe(there).pipe(client);
    for (const one of [client, there]) one.on('error', () => {});
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void relay.close());
  place.env['DOCKER_HOST'] = `tcp://127.0.0.1:${(relay.address() as AddressInfo).port}`;
  write('first', asProcess);
  await done('one', 'apply');
  write('second', asContainer());
  await done('one', 'apply');
  const none = await berthOf('other', 'rollback', 'a', '--yes');
  expect(none.said).toContain('Nothing is known that a could go back to');
  expect(given()).toBe('second');
  await done('one', 'rollback', 'a', '--yes');
  expect(given()).toBe('first');
});
