import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { markLabel } from '../../src/container/render.ts';
import type { AppliedSecrets } from '../../src/domain/applied-secrets.ts';
import type { Mark } from '../../src/domain/instance.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { dockerApi } from '../../src/io/docker-api.ts';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place, Ran } from '../support/berth.ts';
import { startDockerServer } from '../support/docker-server.ts';
import type { DockerServer, RunBody } from '../support/docker-server.ts';

vi.setConfig({ testTimeout: 240_000 });

/** Engines in containers that are given a secret, which their files name in turn by one variable and by another. */

let place: Place;
let id: string;
let daemon: DockerServer;
let ports: number[];

beforeEach(async () => {
  id = randomBytes(8).toString('hex');
  ports = await freePorts(2);
  place = makePlace();
  daemon = await startDockerServer(join(place.folder, 'd.sock'), runHere);
  place.env['DOCKER_HOST'] = daemon.host;
  Object.assign(place.env, { FIRST: 'one', SECOND: 'two', THIRD: 'three', BAD: 'bad', WORSE: 'bad, too' });
  place.env['OF_B'] = 'of b';
  place.env['SLOW'] = 'slow';
});

afterEach(async () => {
  await place.berth('down');
  await daemon.close();
  await place.close();
});

/** Has what a container is to run on this machine, where what is mounted lies elsewhere. */
function runHere(body: RunBody & { readonly Env?: string[] }): () => void {
  const { Entrypoint = [], Cmd = [], Env = [], HostConfig } = body;
  const mounts = (HostConfig['Mounts'] ?? []) as { Source: string; Target: string }[];
  function onHost(word: string): string {
    return mounts.reduce((text, { Source, Target }) => text.replace(Target, Source), word);
  }
  const [command = '', ...args] = [...Entrypoint, ...Cmd].map(onHost);
  const path = Env.find((line) => line.startsWith('HF_TOKEN_PATH='))?.slice('HF_TOKEN_PATH='.length) ?? '';
  const child = spawn(command, args, { stdio: 'ignore', env: { ...process.env, TOKEN: onHost(path) } });
  return () => void child.kill('SIGKILL');
}

/** It keeps what it was given, ends at once with a bad token, and never answers with a slow one. */
function program(name: string): string {
  const path = join(place.folder, `vllm-${name}`);
  writeFileSync(
    path,
    `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in --port) port=$2 ;; esac
  shift
done
cat "$TOKEN" >'${place.folder}/seen-${name}'
case "$(cat "$TOKEN")" in bad*) exit 1 ;; slow) exec sleep 600 ;; esac
exec '${process.execPath}' '${fakeEngine}' "$port"
`,
  );
  chmodSync(path, 0o755);
  return path;
}

function write(secrets: Readonly<Record<string, string>>): void {
  const names = Object.keys(secrets);
  place.write(
    [
      'version: 1',
      'fleet: lab',
      `id: "${id}"`,
      'gateway: {listen: ["127.0.0.1:0"]}',
      'console: {listen: "127.0.0.1:0"}',
      'models:',
      ...names.map((name) => `  ${name}: {source: "hf://a/${name}", secret: "\${env:${secrets[name]}}"}`),
      'deployments:',
      ...names.map(
        (name, at) =>
          `  ${name}: {port: ${ports[at]}, model: ${name}, engine: {kind: vllm, accelerator: cpu, startTimeout: ${/^(BAD|WORSE)$/.test(secrets[name] ?? '') ? 3 : 60}s}, target: {kind: docker, image: "a/b:1", entrypoint: ["${program(name)}"]}}`,
      ),
    ].join('\n'),
  );
}

async function applied(secrets: Readonly<Record<string, string>>): Promise<void> {
  write(secrets);
  const { code, stdout, stderr } = await place.berth('apply', '--yes');
  expect(code, stdout + stderr).toBe(0);
}

function given(name = 'a'): string {
  return readFileSync(join(place.folder, `seen-${name}`), 'utf8').trim();
}

function record(): string {
  return join(place.folder, `state/state/lab-${id}/applied-secrets.json`);
}

function kept(): AppliedSecrets['deployments'] {
  return (JSON.parse(readFileSync(record(), 'utf8')) as AppliedSecrets).deployments;
}

function saysBack({ code, stdout, stderr }: Ran): void {
  expect([code, stdout.includes('Went back: a runs as it did before')], stdout + stderr).toEqual([7, true]);
}

test('an engine whose secret a change names otherwise goes back by itself when the new one never answers, and again when the next does not', async () => {
  await applied({ a: 'FIRST' });
  write({ a: 'BAD' });
  saysBack(await place.berth('apply', '--yes'));
  expect(given()).toBe('one');
  write({ a: 'WORSE' });
  saysBack(await place.berth('apply', '--yes'));
  expect(given()).toBe('one');
  await applied({ a: 'SECOND' });
  expect(given()).toBe('two');
  const back = await place.berth('rollback', 'a', '--yes');
  expect(back.code, back.stderr).toBe(0);
  expect(given()).toBe('one');
});

test('it goes back to what it was before, and forward again, by the secret that it had then', async () => {
  await applied({ a: 'FIRST' });
  await applied({ a: 'SECOND' });
  for (const token of ['one', 'two', 'one']) {
    const back = await place.berth('rollback', 'a', '--yes');
    expect(back.code, back.stderr).toBe(0);
    expect(given()).toBe(token);
  }
  // The file says neither what runs nor what is to come.
  write({ a: 'BAD' });
  saysBack(await place.berth('apply', '--yes'));
  await applied({ a: 'THIRD' });
  expect((await place.berth('rollback', 'a', '--yes')).code).toBe(0);
  expect(given()).toBe('one');
});

test('where the command that changed it was killed it goes back as well', async () => {
  await applied({ a: 'FIRST' });
  write({ a: 'SLOW' });
  const cut = place.spawn('apply', '--yes');
  await until(() => given() === 'slow', 'the new engine to be started');
  cut.child.kill('SIGKILL');
  await cut.exited;
  const back = await place.berth('rollback', 'a', '--yes');
  expect(back.code, back.stderr).toBe(0);
  expect(given()).toBe('one');
});

test('what is applied to another deployment, or not at all, loses nothing of it', async () => {
  await applied({ a: 'FIRST', b: 'OF_B' });
  const before = kept();
  write({ a: 'SECOND', b: 'THIRD' });
  expect((await place.berth('apply', '--only', 'b', '--yes')).code).toBe(0);
  expect(kept()['a']).toEqual(before['a']);
  place.write(readFileSync(join(place.folder, 'berth.yaml'), 'utf8').replace('vllm,', 'vlm,'));
  const text = readFileSync(record(), 'utf8');
  expect((await place.berth('apply', '--yes')).code).toBe(2);
  expect(readFileSync(record(), 'utf8')).toBe(text);
  write({ a: 'BAD', b: 'THIRD' });
  saysBack(await place.berth('apply', '--yes'));
});

test('the file has the names of secrets alone, for its user alone, and goes with the fleet, each deployment with its own', async () => {
  await applied({ a: 'FIRST', b: 'OF_B' });
  await applied({ a: 'SECOND', b: 'OF_B' });
  expect(statSync(record()).mode & 0o777).toBe(0o600);
  expect(readFileSync(record(), 'utf8')).not.toMatch(/"(one|two|of b)"/);
  const at = { machine: 'local', target: 'docker' };
  expect(kept()).toEqual({
    a: {
      runs: [{ ...at, secrets: [{ env: 'SECOND' }] }],
      before: [{ ...at, secrets: [{ env: 'FIRST' }] }],
    },
    b: { runs: [{ ...at, secrets: [{ env: 'OF_B' }] }], before: [] },
  });
  await applied({ a: 'SECOND' });
  expect(Object.keys(kept())).toEqual(['a']);
  await applied({ a: 'SECOND', b: 'THIRD' });
  expect(kept()['b']).toEqual({ runs: [{ ...at, secrets: [{ env: 'THIRD' }] }], before: [] });
  expect((await place.berth('down', '--only', 'b')).code).toBe(0);
  expect(Object.keys(kept())).toEqual(['a']);
  expect((await place.berth('down')).code).toBe(0);
  expect(existsSync(record())).toBe(false);
});

test('what a failed change named may run no more once the file is as it was, and is applied', async () => {
  const at = { machine: 'local', target: 'docker' };
  await applied({ a: 'FIRST' });
  write({ a: 'BAD' });
  saysBack(await place.berth('apply', '--yes'));
  expect(kept()['a']?.runs).toHaveLength(2);
  await applied({ a: 'FIRST' });
  expect(kept()['a']?.runs).toEqual([{ ...at, secrets: [{ env: 'FIRST' }] }]);
});

test('an engine goes back by its secret also where its machine had another address in the file', async () => {
  await applied({ a: 'FIRST' });
  writeFileSync(record(), readFileSync(record(), 'utf8').replace('"local"', '"ssh://a-name-that-it-had"'));
  await applied({ a: 'FIRST' });
  write({ a: 'BAD' });
  saysBack(await place.berth('apply', '--yes'));
  expect(given()).toBe('one');
});

test('a file that nobody can read, or none, keeps nothing from being applied, and is made anew', async () => {
  await applied({ a: 'FIRST' });
  writeFileSync(record(), '{"version": 1, "deployments": {"a": []}}');
  await applied({ a: 'SECOND' });
  expect(kept()['a']?.runs).toMatchObject([{ secrets: [{ env: 'SECOND' }] }]);
  rmSync(record());
  await applied({ a: 'SECOND' });
  expect(kept()['a']?.runs).toMatchObject([{ secrets: [{ env: 'SECOND' }] }]);
  write({ a: 'BAD' });
  saysBack(await place.berth('apply', '--yes'));
});

/** Somebody who may use the daemon writes another secret on the container of "a", which runs on. */
async function forge(secret: string): Promise<void> {
  const api = dockerApi(daemon.host);
  const list = (await api.ask('GET', '/containers/json')).json as {
    Id: string;
    Names: string[];
    Labels: Record<string, string>;
  }[];
  const own = list.find(({ Labels }) => (JSON.parse(Labels[markLabel] ?? '{}') as Mark).deployment === 'a');
  const { json } = await api.ask('GET', `/containers/${own?.Id}/json`);
  const { Config, HostConfig } = json as { Config: object; HostConfig: object };
  const mark = JSON.parse(own?.Labels[markLabel] ?? '') as Mark;
  const spec = { ...mark.spec, secrets: { ...mark.spec.secrets, hub: { env: secret } } };
  const Labels = { ...own?.Labels, [markLabel]: JSON.stringify({ ...mark, spec }) };
  await api.ask('DELETE', `/containers/${own?.Id}`);
  const name = own?.Names[0]?.replace('/', '') ?? '';
  const made = await api.ask('POST', `/containers/create?name=${name}`, {
    body: { ...Config, HostConfig, Labels },
  });
  await api.ask('POST', `/containers/${(made.json as { Id: string }).Id}/start`);
}

test.each([
  ['that it had two states ago', 'FIRST'],
  ['of another deployment', 'OF_B'],
  ['that no file names', 'CANARY'],
])('a secret %s is not read for it, whoever writes it on its container', async (_, secret) => {
  place.env['CANARY'] = 'of the operator';
  for (const own of ['FIRST', 'SECOND', 'THIRD']) await applied({ a: own, b: 'OF_B' });
  await forge(secret);
  rmSync(join(place.folder, 'seen-a'));
  write({ a: 'BAD', b: 'OF_B' });
  const failed = await place.berth('apply', '--yes');
  expect(failed.code, failed.stderr).toBe(7);
  expect(failed.stdout).toContain(`has a secret in ${secret}, which the fleet file does not name for a`);
  expect(given()).toBe('bad');
});

test('a kept plan asks what it leaves as it runs with its key, whoever has applied that', async () => {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
  place.write(
    `version: 1\nfleet: lab\nid: "${id}"\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n` +
      `  a: {port: ${ports[0]}, ownKey: true, engine: {kind: command, command: ${command}, startTimeout: 20s}, target: {kind: docker, image: "a/b:1"}}\n`,
  );
  expect((await place.berth('apply', '--yes')).code).toBe(0);
  rmSync(record());
  const kept = await place.berth('plan', '--out', 'kept.json', '--json');
  expect((kept.json() as Plan).actions.map((one) => one.do)).toEqual(['keep']);
  const { code, stdout, stderr } = await place.berth('apply', 'kept.json', '--yes');
  expect(code, stdout + stderr).toBe(0);
  // Which secrets it has, the plan does not tell.
  expect(existsSync(record())).toBe(false);
});
