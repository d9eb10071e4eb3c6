import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { hostLock } from '../../src/fleet/file/paths.ts';
import { tryLock } from '../../src/io/lock.ts';
import { placesOf } from '../../src/io/places.ts';
import { fakeEngine, isRunning, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  const engine = `engine: {kind: command, command: ${command}, stopGrace: 1s}`;
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n` +
      `  a: {${engine}}\n  b: {${engine}}\n  late: {load: on-demand, ${engine}}\n` +
      `  away: {engine: {kind: openai, url: "http://127.0.0.1:9"}}\n`,
  );
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

async function pidOf(name: string): Promise<number | null> {
  return (await status()).deployments.find((one) => one.name === name)?.replicas[0]?.pid ?? null;
}

async function done(...args: string[]): Promise<string> {
  const ran = await place.berth(...args);
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout;
}

async function ask(url: string, model: string): Promise<number> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }] });
  const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
  await reply.arrayBuffer();
  return reply.status;
}

async function upUrl(): Promise<string> {
  place.spawn('up');
  return until(async () => (await status()).gateway.url, 'the gateway to serve');
}

test('what was stopped by hand stays so over apply and up, and is served again once it is started', async () => {
  const url = await upUrl();
  const [a, b] = [await pidOf('a'), await pidOf('b')];
  expect(await done('stop', 'a')).toContain('stop a');
  expect(isRunning(a ?? 0)).toBe(false);
  expect(await done('apply')).toContain('Nothing had to be done.');
  const found = await status();
  expect(found.findings.map(({ rule, object }) => [rule, object])).toEqual([['at-rest', 'a']]);
  expect([await pidOf('a'), await pidOf('b')]).toEqual([null, b]);
  expect([await ask(url, 'a'), await ask(url, 'b')]).toEqual([503, 200]);
  expect((await place.berth('verify')).stdout).toContain(
    'It was stopped by hand: "berth start a" starts it.',
  );

  expect(await done('start', 'a')).toContain('start a');
  const again = await pidOf('a');
  expect(again).not.toBeNull();
  expect([await ask(url, 'a'), await pidOf('b')]).toEqual([200, b]);
  expect((await status()).findings).toEqual([]);

  expect(await done('restart', 'b')).toContain('replace b');
  expect([await pidOf('a'), isRunning(b ?? 0), await ask(url, 'b')]).toEqual([again, false, 200]);
});

test('one whose stop by hand was killed on the way is not started again by "berth up" once it has ended', async () => {
  const up = place.spawn('up');
  await until(async () => (await status()).gateway.url, 'the gateway to serve');
  const [a, b] = [await pidOf('a'), await pidOf('b')];
  const places = placesOf({ HOME: place.folder }, place.env['BERTH_STATE_DIR']);
  const lock = await until(() => tryLock(hostLock({ places }), 'berth apply of fleet other'), 'the lock');
  const stop = place.spawn('stop', 'a');
  await until(() => stop.output().stderr.includes('Waiting for berth apply'), 'it to wait');
  stop.child.kill('SIGKILL');
  await stop.exited;
  for (const pid of [a, b]) process.kill(pid ?? 0, 'SIGKILL');
  lock.release();
  await until(() => up.output().stderr.includes('b is ready again'), 'b to be started again');
  expect(await pidOf('a')).toBeNull();
  expect(up.output().stderr).not.toContain('a has ended; starting it again');
});

test('an engine that crashes while another is stopped by hand is started again', async () => {
  const [slow, plain] = [['--late', '3000'], []].map((mode) =>
    JSON.stringify([process.execPath, fakeEngine, '{port}', ...mode]),
  );
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n` +
      `  a: {engine: {kind: command, command: ${slow}, stopGrace: 20s}}\n` +
      `  b: {engine: {kind: command, command: ${plain}, stopGrace: 1s}}\n`,
  );
  place.spawn('up');
  await until(async () => (await status()).gateway.url, 'the gateway to serve');
  const b = await pidOf('b');
  const stop = place.spawn('stop', 'a');
  await until(
    async () => (await place.berth('journal', '--json')).stdout.includes('under way'),
    'a to be asked to end',
  );
  // Nobody looks while somebody changes what runs: that a is stopped is the next thing that is heard.
  process.kill(b ?? 0, 'SIGKILL');
  expect(await stop.exited, stop.output().stderr).toBe(0);
  await until(async () => ((await pidOf('b')) ?? b) !== b, 'b to be started again');
  expect(await pidOf('a')).toBeNull();
});

test('an engine whose restart came to nothing is started again also after another was stopped by hand', async () => {
  const [gateOfA, gateOfM] = [join(place.folder, 'gate-a'), join(place.folder, 'gate-m')];
  place.write('', 'gate-a');
  const words = { a: ['--gate', gateOfA], b: [], m: ['--gate', gateOfM] };
  const lines = Object.entries(words).map(([name, mode]) => {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...mode]);
    const onDemand = name === 'm' ? 'load: on-demand, ' : '';
    return `  ${name}: {${onDemand}engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: ${name === 'm' ? 60 : 8}s}}`;
  });
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n${lines.join('\n')}\n`,
  );
  place.spawn('up');
  const url = await until(async () => (await status()).gateway.url, 'the gateway to serve');
  const loads = ask(url, 'm');
  await until(() => pidOf('m'), 'the model to be loaded');
  const before = await pidOf('a');
  rmSync(gateOfA);
  process.kill(before ?? 0, 'SIGKILL');
  await until(async () => ((await pidOf('a')) ?? before) !== before, 'a to be started again');
  // The gateway takes in what runs by now: the new a, which never answers.
  place.write('', 'gate-m');
  expect(await loads).toBe(200);
  await until(
    async () => (await place.berth('journal', '--json')).stdout.includes('not waited for any longer'),
    'it to be given up',
  );
  await done('stop', 'b');
  place.write('', 'gate-a');
  await until(
    async () =>
      (await status()).deployments.some(
        ({ name, replicas }) => name === 'a' && replicas[0]?.state === 'ready',
      ),
    'a to be started once more',
  );
});

test('a model on demand that was stopped by hand is not loaded by a request', async () => {
  const url = await upUrl();
  expect(await ask(url, 'late')).toBe(200);
  expect(await done('stop', 'late')).toContain('stop late');
  expect([await ask(url, 'late'), await pidOf('late')]).toEqual([503, null]);
  expect(await done('start', 'late')).toBe('Done: let late be loaded by its next request.\n');
  expect(await ask(url, 'late')).toBe(200);
  expect(await done('start', 'late')).toBe('Nothing had to be done.\n');
});

test('what was written down of a model on demand that does not run is told, also as JSON', async () => {
  await upUrl();
  expect(await done('stop', 'late')).toBe('Done: keep late from being loaded.\n');
  expect(await done('stop', 'late')).toBe('Nothing had to be done.\n');
  expect(JSON.parse(await done('start', 'late', '--json'))).toMatchObject({
    byHand: { do: 'start', deployments: ['late'] },
  });
  expect(JSON.parse(await done('start', 'late', '--json'))).toMatchObject({
    byHand: { do: 'start', deployments: [] },
  });
});

test('requests for what was stopped by hand are told so, and not when to come again', async () => {
  const url = await upUrl();
  await done('stop', 'a', 'late');
  for (const model of ['a', 'late']) {
    const reply = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      body: JSON.stringify({ model, prompt: 'x' }),
    });
    expect([reply.status, reply.headers.get('retry-after'), reply.headers.get('x-should-retry')]).toEqual([
      503,
      null,
      'false',
    ]);
    expect(await reply.json()).toMatchObject({
      error: {
        code: 'deployment_stopped',
        message: `${model} was stopped by hand. Whoever runs this gateway can start it: "berth start ${model}".`,
      },
    });
  }
});

test('only what berth starts can be stopped, and only by a name that there is', async () => {
  const foreign = await place.berth('stop', 'away');
  expect([foreign.code, foreign.stderr]).toEqual([2, expect.stringContaining('neither starts nor stops')]);
  const unknown = await place.berth('stop', 'a', 'aa');
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('no deployment aa')]);
  // Nothing was written down of the one that there is.
  expect((await status()).findings.map(({ rule }) => rule)).not.toContain('at-rest');
});

test('a model on demand takes no port of an engine that has ended and is to be started again', async () => {
  const gate = join(place.folder, 'gate');
  place.write('', 'gate');
  const ifThere = `test -e "${gate}" || exit 3; exec "${process.execPath}" "${fakeEngine}" {port}`;
  const commands = { a: ['sh', '-c', ifThere], m: [process.execPath, fakeEngine, '{port}'] };
  const lines = Object.entries(commands).map(
    ([name, command]) =>
      `  ${name}: {${name === 'm' ? 'load: on-demand, ' : ''}engine: {kind: command, command: ${JSON.stringify(command)}, stopGrace: 1s}}`,
  );
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n${lines.join('\n')}\n`,
  );
  const url = await upUrl();
  async function replicaOf(name: string): Promise<{ url: string | null; state: string } | undefined> {
    return (await status()).deployments.find((one) => one.name === name)?.replicas[0];
  }
  const before = (await replicaOf('a'))?.url;
  rmSync(gate);
  process.kill((await pidOf('a')) ?? 0, 'SIGKILL');
  await until(async () => {
    const text = (await place.berth('journal', '--json')).stdout;
    return text.split('ENGINE_CRASHED').length > 3;
  }, 'it to have failed to start several times');
  expect(await ask(url, 'm')).toBe(200);
  expect((await replicaOf('m'))?.url).not.toBe(before);
  place.write('', 'gate');
  await until(async () => (await replicaOf('a'))?.state === 'ready', 'it to be started again');
  expect((await replicaOf('a'))?.url).toBe(before);
});
