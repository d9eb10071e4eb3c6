import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as connectTo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';
import { localFiles } from '../../src/io/files.ts';
import { connect } from '../../src/io/ssh/connection.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findLlamaServer } from './llama-server.ts';
import { missingForSsh } from './missing-for-ssh.ts';

const box = resolve(import.meta.dirname, 'ssh-box.sh');
const bin = resolve(import.meta.dirname, '../../bin/berth.js');

const llama = findLlamaServer();
const lacks = missingForSsh();
if (lacks !== '') console.info(`ssh: not run, ${lacks} is missing`);

let folder: string;
let place: Place;

function enter(...argv: string[]): string {
  return execFileSync(box, ['enter', folder, ...argv], { encoding: 'utf8', stdio: 'pipe' });
}

/** What the far machine has of listeners, programs and files; logs, and what ran before, are kept there as they are here. */
function inventory(): string[] {
  const ports = enter('awk', '$4 == "0A" { print $2 }', '/proc/net/tcp').split('\n').toSorted();
  const lines = `for pid in /proc/[0-9]*; do tr '\\0' ' ' <$pid/cmdline 2>/dev/null; echo; done`;
  const programs = enter('sh', '-c', lines)
    .split('\n')
    .filter((line) => /fake-engine|llama-server|flock|\bdd\b|setsid|bin\/berth/.test(line));
  const files = enter('find', join(folder, 'home'), '-type', 'f').split('\n');
  return [...ports, ...programs, ...files.filter((path) => !/\.log$|\/ran\//.test(path))];
}

function fakeCommand(...more: string[]): string {
  return JSON.stringify([process.execPath, fakeEngine, '{port}', ...more]);
}

function fleet(hosts: string, deployments: string): void {
  place.write(`version: 1
fleet: lab
id: ssh1
hosts: ${hosts}
deployments:
${deployments}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
`);
}

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

async function replica(name = 'a'): Promise<ReplicaStatus> {
  const found = (await status()).deployments.find((one) => one.name === name)?.replicas[0];
  if (!found) throw new Error(`There is no replica of ${name}.`);
  return found;
}

async function answer(url: string): Promise<string> {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', max_tokens: 4, messages: [{ role: 'user', content: 'hi' }] }),
  });
  return reply.text();
}

/** Processes of ssh that this one has started. */
function sshOf(pid: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      const parent = /\) \S (\d+) /.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1];
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return Number(parent) === pid && words.includes('ControlMaster=yes') ? [Number(name)] : [];
    } catch {
      return [];
    }
  });
}

describe.skipIf(lacks !== '')('a host by ssh, with a real sshd on a machine of its own', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-ssh-box-'));
    execFileSync(box, ['start', folder], { stdio: 'pipe' });
  }, 60_000);

  afterAll(() => {
    execFileSync(box, ['stop', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  beforeEach(() => {
    place = makePlace();
    place.env['PATH'] = `${folder}/bin:${place.env['PATH']}`;
  });

  afterEach(() => place.close());

  test('an engine there runs there alone and is served through the gateway, also when the connection breaks, and is gone without a trace', async () => {
    const model = join(folder, 'random.gguf');
    if (llama) await makeModel(localFiles, { size: '15M', type: 'q8_0', seed: 1, path: model });
    const engine = llama
      ? `model: m, engine: {kind: llama.cpp, binary: ${llama}, slots: 1, context: 256, threads: 1}`
      : `engine: {kind: command, command: ${fakeCommand()}, startTimeout: 60s}`;
    fleet(
      `{far: {ssh: box, ports: 18700-18709}}`,
      `  a: {${engine}}${llama ? `\nmodels: {m: {source: ${model}}}` : ''}`,
    );
    const before = inventory();
    const applied = await place.berth('apply');
    expect(applied.code, applied.stderr).toBe(0);
    const first = await replica();
    expect([first.state, first.url]).toEqual(['ready', 'http://127.0.0.1:18700']);
    // It is there, and not here.
    expect(inventory().length).toBeGreaterThan(before.length);
    expect(enter('cat', '/proc/net/tcp')).toContain(':490C ');
    expect(readFileSync('/proc/net/tcp', 'utf8')).not.toContain(':490C ');
    expect(enter('cat', `/proc/${first.pid}/environ`)).not.toContain('SSH_CONNECTION');
    const plan = (await place.berth('plan', '--json')).json() as { actions: { do: string; host: string }[] };
    expect(plan.actions).toMatchObject([{ do: 'keep', host: 'far' }]);
    const logs = await place.berth('logs', 'a', '--lines', '500');
    expect(logs.stdout).toMatch(llama ? /llama|server/i : /fake engine on port 18700/);

    const up = place.spawn('up');
    const { url } = await until(async () => (await status()).gateway, 'berth up', 60_000).then(async () => {
      const gateway = await until(async () => {
        const found = (await status()).gateway;
        return found.url === null ? null : { url: found.url };
      }, 'the gateway');
      return gateway;
    });
    await until(async () => (await answer(url)).includes('finish_reason'), 'an answer through the gateway');

    const masters = sshOf(up.pid);
    expect(masters).toHaveLength(1);
    process.kill(masters[0] as number, 'SIGKILL');
    await until(() => sshOf(up.pid).find((pid) => pid !== masters[0]), 'a new connection');
    await until(async () => (await answer(url)).includes('finish_reason'), 'an answer by the new connection');
    expect((await replica()).pid).toBe(first.pid);

    const down = await place.berth('down');
    expect(down.code, down.stderr).toBe(0);
    await up.exited;
    expect(inventory()).toEqual(before);
  }, 300_000);

  test('a host that cannot be looked at is a finding with its cause and cure, and the rest goes on', async () => {
    fleet(
      '{here: {local: true}, far: {ssh: box}, changed: {ssh: changed}, unknown: {ssh: unknown}, denied: {ssh: denied}, dead: {ssh: dead}}',
      ['here', 'far', 'changed', 'unknown', 'denied', 'dead']
        .map(
          (host) =>
            `  on-${host}: {host: ${host}, engine: {kind: command, command: ${fakeCommand()}, startTimeout: 60s}}`,
        )
        .join('\n'),
    );
    const plan = (await place.berth('plan', '--json')).json() as {
      actions: { deployment: string; do: string }[];
      findings: { rule: string; object: string; evidence: string[]; cure: string }[];
    };
    expect(plan.actions.map((one) => `${one.do} ${one.deployment}`)).toEqual([
      'start on-here',
      'start on-far',
    ]);
    const silent = plan.findings.filter(({ rule }) => rule === 'host-unreachable');
    expect(Object.fromEntries(silent.map(({ object, evidence }) => [object, evidence[0]]))).toEqual({
      changed: 'HOST_KEY_CHANGED',
      unknown: 'HOST_KEY_UNKNOWN',
      denied: 'HOST_DENIED',
      dead: 'HOST_UNREACHABLE',
    });
    for (const { cure } of silent) expect(cure).toMatch(/ssh /);
    const applied = await place.berth('apply');
    expect(applied.stderr).toContain('on-far is ready');
    expect(applied.stderr).toContain('on-here is ready');
    const states = (await status()).deployments.map((one) => `${one.name} ${one.replicas[0]?.state}`);
    expect(states).toEqual([
      'on-here ready',
      'on-far ready',
      'on-changed unreachable',
      'on-unknown unreachable',
      'on-denied unreachable',
      'on-dead unreachable',
    ]);
    const down = await place.berth('down');
    expect(down.code, down.stderr).toBe(0);
    expect(down.stdout).toContain('Host dead could not be looked at');
    expect(down.stdout).toMatch(/is down: .*on-far/);
  }, 120_000);

  test('sockets there that are asked for at once have each a way of its own', async () => {
    const names = ['docker', 'podman', 'third'];
    const paths = names.map((name) => join(folder, `${name}.sock`));
    for (const [i, path] of paths.entries()) {
      const server = createServer((socket) => socket.end(names[i] ?? ''));
      await new Promise<void>((resolve) => server.listen(path, resolve));
      onTestFinished(() => void server.close());
    }
    vi.stubEnv('PATH', place.env['PATH']);
    onTestFinished(() => void vi.unstubAllEnvs());
    const link = await connect('box', new AbortController().signal);
    onTestFinished(() => link.close());
    const ways = await Promise.all(paths.map((path) => link.forward(path)));
    expect(await Promise.all(ways.map((way) => text(connectTo(way))))).toEqual(names);
  }, 60_000);

  test('who changes engines there waits for whoever else does, by ssh or on the machine itself, and for nobody who is dead', async () => {
    const gate = join(folder, 'gate');
    fleet(
      '{far: {ssh: box}}',
      `  a: {engine: {kind: command, command: ${fakeCommand('--gate', gate)}, startTimeout: 120s}}`,
    );
    const first = place.spawn('apply');
    await until(() => first.output().stderr.includes('Starting a'), 'the first apply');
    const second = place.spawn('apply');
    await until(
      () => second.output().stderr.includes('Waiting for berth apply of fleet lab'),
      'the second apply',
    );
    const there = join(folder, 'there.yaml');
    writeFileSync(there, 'version: 1\nfleet: other\n');
    const inside = `cd ${folder}; HOME=${folder}/home BERTH_FROM_SOURCE=${process.env['BERTH_FROM_SOURCE'] ?? ''} ${process.execPath} ${bin} apply -f ${there} >${folder}/inside.out 2>&1 & echo`;
    enter('sh', '-c', inside);
    await until(() => {
      const said = existsSync(`${folder}/inside.out`) ? readFileSync(`${folder}/inside.out`, 'utf8') : '';
      return said.includes('Waiting for berth apply of fleet lab');
    }, 'the apply on the machine itself');

    first.child.kill('SIGKILL');
    await first.exited;
    writeFileSync(gate, '');
    // What the first had begun runs by now, so that the second has nothing left to do.
    expect(await second.exited, second.output().stderr).toBe(0);
    const last = await place.berth('apply');
    expect(last.code, last.stderr).toBe(0);
    expect(enter('sh', '-c', 'cat /proc/[0-9]*/cmdline').split('fake-engine').length - 1).toBe(1);
    expect((await place.berth('down')).code).toBe(0);
  }, 180_000);

  test('what runs on a host that answers again is served from then on', async () => {
    const pidFile = join(folder, 'late.pid');
    function startDoor(): void {
      enter('/usr/sbin/sshd', '-f', join(folder, 'sshd_config'), '-p', '9', '-o', `PidFile=${pidFile}`);
    }
    fleet(
      '{late: {ssh: dead}}',
      `  a: {engine: {kind: command, command: ${fakeCommand()}, startTimeout: 60s}}`,
    );
    startDoor();
    const applied = await place.berth('apply');
    expect(applied.code, applied.stderr).toBe(0);
    const { pid } = await replica();
    enter('kill', readFileSync(pidFile, 'utf8').trim());
    const up = place.spawn('up');
    const gateway = await until(async () => (await status()).gateway.url, 'the gateway');
    expect((await replica()).state).toBe('unreachable');
    expect(await answer(gateway)).not.toContain('hello from');
    startDoor();
    await until(() => up.output().stderr.includes('Answers again: late'), 'the host to be found again');
    await until(async () => (await answer(gateway)).includes(`hello from ${pid}`), 'an answer');
    const down = await place.berth('down');
    expect(down.code, down.stderr).toBe(0);
    enter('kill', readFileSync(pidFile, 'utf8').trim());
  }, 120_000);
});
