import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, freePorts, isRunning, makePlace, startTicks, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
/** Runs beside other runs of these tests on the same machine. */
let id: string;

beforeEach(() => {
  id = randomBytes(8).toString('hex');
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

/** A deployment of the fake engine, in one line of YAML. */
function deployment(
  name: string,
  options: { port?: number; mode?: string; more?: string; engine?: string } = {},
): string {
  const command = JSON.stringify([
    process.execPath,
    fakeEngine,
    '{port}',
    ...(options.mode ? options.mode.split(' ') : []),
  ]);
  const port = options.port ? `port: ${options.port}, ` : '';
  return `  ${name}: {${port}${options.more ?? ''}engine: {kind: command, command: ${command}, stopGrace: 2s, startTimeout: 20s${options.engine ?? ''}}}`;
}

function fleet(deployments: readonly string[], more = '', name = 'lab'): string {
  return `version: 1\nfleet: ${name}\nid: "${id}"\ngateway: {listen: ["127.0.0.1:0"]${more}}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:${deployments.length === 0 ? ' {}' : ''}\n${deployments.join('\n')}\n`;
}

async function status(...args: string[]): Promise<FleetStatus> {
  return (await place.berth('status', '--json', ...args)).json();
}

function pidsOf(found: FleetStatus): Record<string, number | null> {
  return Object.fromEntries(
    found.deployments.flatMap((one) =>
      one.replicas.map((replica) => [`${one.name}-${replica.replica}`, replica.pid]),
    ),
  );
}

test('apply starts what is missing, changes only what the file changed, and says why', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  place.write(fleet([deployment('a', { port: a }), deployment('b', { port: b })]));
  expect((await place.berth('apply')).code).toBe(0);
  const first = await status();
  expect(first.deployments.map((one) => one.replicas[0]?.state)).toEqual(['ready', 'ready']);

  const again = await place.berth('apply');
  expect(again.stdout).toContain('Nothing had to be done.');
  expect(pidsOf(await status())).toEqual(pidsOf(first));

  place.write(fleet([deployment('a', { port: a, engine: ', slots: 3' }), deployment('b', { port: b })]));
  const plan = (await place.berth('plan', '--json')).json() as Plan;
  expect(plan.actions.map((action) => [action.deployment, action.do])).toEqual([
    ['a', 'replace'],
    ['b', 'keep'],
  ]);
  expect(plan.actions[0]?.reasons).toEqual([{ field: 'engine.slots', text: 'engine.slots: (not set) → 3' }]);
  expect((await place.berth('apply')).code).toBe(0);
  const second = await status();
  expect(pidsOf(second)['a-0']).not.toBe(pidsOf(first)['a-0']);
  expect(pidsOf(second)['b-0']).toBe(pidsOf(first)['b-0']);
  expect(second.deployments[0]?.replicas[0]?.slots).toBe(3);

  place.write(fleet([deployment('b', { port: b })]));
  expect((await place.berth('apply')).stdout).toContain('stop a');
  expect(isRunning(pidsOf(second)['a-0'] ?? 0)).toBe(false);
});

test('down ends every engine of this fleet, and leaves alone a twin without a mark and one of another fleet', async () => {
  const [ours = 0, twin = 0, theirs = 0] = await freePorts(3);
  place.write(fleet([deployment('a', { port: ours })]));
  place.write(fleet([deployment('a', { port: theirs })], '', 'other'), 'other.yaml');
  const unmarked = spawn(process.execPath, [fakeEngine, String(twin)], { stdio: 'ignore' });
  try {
    expect((await place.berth('apply')).code).toBe(0);
    expect((await place.berth('apply', '-f', 'other.yaml')).code).toBe(0);
    const mine = pidsOf(await status())['a-0'] ?? 0;
    const other = pidsOf(await status('-f', 'other.yaml'))['a-0'] ?? 0;
    expect((await status()).foreign).toBeGreaterThanOrEqual(1);

    expect((await place.berth('down')).stdout).toContain(`a (${mine})`);
    expect([isRunning(mine), isRunning(other), isRunning(unmarked.pid ?? 0)]).toEqual([false, true, true]);
    expect((await place.berth('down', '-f', 'other.yaml')).code).toBe(0);
    expect([isRunning(other), isRunning(unmarked.pid ?? 0)]).toEqual([false, true]);
  } finally {
    unmarked.kill('SIGKILL');
  }
});

test('an engine that ignores its signal, and one that is started by a launcher, both leave nothing behind', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  place.write(
    fleet([
      deployment('deaf', { port: a, mode: '--deaf' }),
      deployment('launched', { port: b, mode: '--child' }),
    ]),
  );
  expect((await place.berth('apply')).code).toBe(0);
  const answer = await fetch(`http://127.0.0.1:${b}/v1/chat/completions`, { method: 'POST', body: '{}' });
  const child = Number(/hello from (\d+)/.exec(await answer.text())?.[1]);
  const pids = pidsOf(await status());
  expect(child).not.toBe(pids['launched-0']);
  expect((await place.berth('down')).code).toBe(0);
  expect([isRunning(child), isRunning(pids['launched-0'] ?? 0), isRunning(pids['deaf-0'] ?? 0)]).toEqual([
    false,
    false,
    false,
  ]);
});

test('what is wrong with an engine is told with its own last lines, and what was done before stays done', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  place.write(fleet([deployment('a', { port: a }), deployment('broken', { port: b, mode: '--crash' })]));
  const failed = await place.berth('apply', '--json');
  expect(failed.code).toBe(7);
  const result = failed.json() as {
    done: { deployment: string }[];
    failure: { code: string; message: string };
  };
  expect(result.done.map((action) => action.deployment)).toEqual(['a']);
  expect(result.failure.code).toBe('ENGINE_CRASHED');
  expect(result.failure.message).toContain('broken ended while starting with exit code 3.');
  expect(result.failure.message).toContain('cannot load the model: bad magic');
  const running = pidsOf(await status());

  place.write(fleet([deployment('a', { port: a }), deployment('broken', { port: b })]));
  expect((await place.berth('apply')).code).toBe(0);
  expect(pidsOf(await status())['a-0']).toBe(running['a-0']);
});

test('an engine that never becomes healthy is stopped and told', async () => {
  const [a = 0] = await freePorts(1);
  place.write(
    fleet([deployment('sick', { port: a, mode: '--sick' }).replace('startTimeout: 20s', 'startTimeout: 2s')]),
  );
  const failed = await place.berth('apply');
  // Nothing was done before, so nothing was done in part.
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('did not become ready within 2 s');
  expect(failed.stdout).toContain('answers 503');
  expect(failed.stdout).toContain(`fake engine on port ${a}`);
  expect((await status()).deployments[0]?.replicas[0]?.state).toBe('stopped');
});

test('an engine that runs but no longer answers is told, and can be restarted by name', async () => {
  const [a = 0] = await freePorts(1);
  place.write(fleet([deployment('a', { port: a }).replace('startTimeout: 20s', 'startTimeout: 3s')]));
  expect((await place.berth('apply')).code).toBe(0);
  const pid = pidsOf(await status())['a-0'] ?? 0;
  process.kill(pid, 'SIGSTOP');
  const silent = await place.berth('apply');
  expect(silent.code).toBe(6);
  expect(silent.stdout).toContain(`a runs (process ${pid}) but is not well`);
  expect((await place.berth('apply', '--restart', 'a')).code).toBe(0);
  expect(pidsOf(await status())['a-0']).not.toBe(pid);
});

test('a held port is told with its holder before anything is touched', async () => {
  const holder = createServer((_, response) => response.end('{}'));
  await new Promise<void>((done) => void holder.listen(0, '127.0.0.1', done));
  const { port } = holder.address() as { port: number };
  try {
    place.write(fleet([deployment('a', { port })]));
    const failed = await place.berth('apply');
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain(`Port ${port} on 127.0.0.1 is held by process ${process.pid} (node`);
  } finally {
    holder.close();
  }
});

test('a missing program and a missing model file are told by name', async () => {
  place.write(fleet(['  a: {engine: {kind: command, command: [no-such-program, "{port}"]}}']));
  expect((await place.berth('apply')).stderr).toContain(
    'The program no-such-program is not on this machine; a needs it.',
  );
  place.write(`${fleet([deployment('a', { more: 'model: m, ' })])}models: {m: {source: ./gone.gguf}}\n`);
  const failed = await place.berth('apply');
  expect(failed.code).toBe(1);
  expect(failed.stderr).toContain(`The model file ${join(place.folder, 'gone.gguf')} does not exist.`);
  place.write('GGUF', 'm-00001-of-00002.gguf');
  const split = 'models: {m: {source: ./m-00001-of-00002.gguf}}\n';
  place.write(`${fleet([deployment('a', { more: 'model: m, ' })])}${split}`);
  const rest = `The model file ${join(place.folder, 'm-00002-of-00002.gguf')} does not exist.`;
  expect((await place.berth('plan')).stdout).toContain(rest);
  expect((await place.berth('apply')).stderr).toContain(rest);
});

test('a port that was chosen once is read back, never chosen again', async () => {
  const [from = 0] = await freePorts(1);
  const hosts = `hosts: {box: {ports: ${from}-${from + 40}}}\n`;
  place.write(hosts + fleet([deployment('b', { more: 'replicas: 2, ' })]));
  expect((await place.berth('apply')).code).toBe(0);
  const before = (await status()).deployments[0]?.replicas.map((one) => one.port);
  expect(new Set(before).size).toBe(2);
  place.write(hosts + fleet([deployment('a'), deployment('b', { more: 'replicas: 2, ' })]));
  expect((await place.berth('apply')).code).toBe(0);
  const after = await status();
  expect(after.deployments[1]?.replicas.map((one) => one.port)).toEqual(before);
  expect(before).not.toContain(after.deployments[0]?.replicas[0]?.port);
});

test('a kept plan is carried out as it is, and refused once the file or the engines have changed', async () => {
  const [a = 0] = await freePorts(1);
  place.write(fleet([deployment('a', { port: a })]));
  expect((await place.berth('plan', '--out', 'plan.json')).code).toBe(0);
  expect((await place.berth('apply', 'plan.json')).code).toBe(0);
  const again = await place.berth('apply', 'plan.json');
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('The plan is stale: process');
  expect((await place.berth('plan', '--out', 'plan.json')).code).toBe(0);
  place.write(`${readFileSync(join(place.folder, 'berth.yaml'), 'utf8')}# a word\n`);
  expect((await place.berth('apply', 'plan.json')).stderr).toContain('berth.yaml has changed');
});

test('after kill -9 of all of berth the engines are known, and up takes them back without a restart', async () => {
  const [a = 0] = await freePorts(1);
  place.write(fleet([deployment('a', { port: a })]));
  const first = place.spawn('up');
  const up = await until(async () => {
    const found = await status();
    return found.console.url ? found : null;
  }, 'the gateway');
  const pid = pidsOf(up)['a-0'] ?? 0;
  const started = startTicks(pid);
  const gateway = up.gateway.pid ?? 0;
  const answer = await fetch(`${up.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', messages: [] }),
  });
  expect(await answer.text()).toContain(`hello from ${pid}`);

  process.kill(first.pid, 'SIGKILL');
  await until(() => !isRunning(gateway), 'the gateway to end with its parent');
  const alone = await status();
  expect([alone.gateway.state, alone.deployments[0]?.replicas[0]?.state]).toEqual(['stopped', 'ready']);
  expect(pidsOf(alone)['a-0']).toBe(pid);

  const second = place.spawn('up');
  const back = await until(async () => {
    const found = await status();
    return found.gateway.url ? found : null;
  }, 'the gateway again');
  expect([pidsOf(back)['a-0'], startTicks(pid)]).toEqual([pid, started]);

  const third = await place.berth('up');
  expect(third.stderr).toContain(
    `Fleet lab is up already (process ${second.pid}): gateway ${back.gateway.url}`,
  );

  process.kill(second.pid, 'SIGINT');
  expect(await second.exited).toBe(0);
  expect(isRunning(pid)).toBe(true);
});

test('while up runs, a crashed engine is started again, apply brings in changes, and down ends everything', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  place.write(fleet([deployment('a', { port: a })]));
  const detached = await place.berth('up', '--detach', '--json');
  expect(detached.stderr).toBe('');
  const state = detached.json() as { process: { pid: number }; gateway: { url: string; pid: number } };
  const pid = pidsOf(await status())['a-0'] ?? 0;
  process.kill(pid, 'SIGKILL');
  const again = await until(async () => {
    const now = pidsOf(await status())['a-0'];
    return now && now !== pid ? now : null;
  }, 'the restart');

  place.write(
    fleet(
      [deployment('a', { port: a }), deployment('b', { port: b })],
      ', routes: {both: {to: {a: 1, b: 1}}}',
    ),
  );
  expect((await place.berth('apply')).code).toBe(0);
  expect(pidsOf(await status())['a-0']).toBe(again);
  await until(async () => {
    const models = await fetch(`${state.gateway.url}/v1/models`);
    return (await models.text()).includes('"both"');
  }, 'the new route');

  expect((await place.berth('down')).code).toBe(0);
  const left = [state.process.pid, state.gateway.pid, again].filter(isRunning);
  expect(left).toEqual([]);
});

test('a gateway that is killed comes back, and a broken file at a reload leaves the old configuration in force', async () => {
  const [a = 0] = await freePorts(1);
  place.write(fleet([deployment('a', { port: a })]));
  const up = place.spawn('up');
  const before = await until(async () => {
    const found = await status();
    return found.gateway.url ? found : null;
  }, 'the gateway');
  process.kill(before.gateway.pid ?? 0, 'SIGKILL');
  const after = await until(async () => {
    const found = await status();
    return found.gateway.pid && found.gateway.pid !== before.gateway.pid ? found : null;
  }, 'the new gateway');
  expect((await fetch(`${after.gateway.url}/v1/models`)).status).toBe(200);

  const good = fleet([deployment('a', { port: a })]);
  place.write(`${good}nonsense: 1\n`);
  process.kill(up.pid, 'SIGHUP');
  await until(() => up.output().stderr.includes('the old configuration stays'), 'the refusal');
  expect((await fetch(`${after.gateway.url}/v1/models`)).status).toBe(200);
  place.write(good);
});

test('an ephemeral up stops what it started, and leaves what ran before', async () => {
  const [a = 0, b = 0] = await freePorts(2);
  place.write(fleet([deployment('a', { port: a })]));
  expect((await place.berth('apply')).code).toBe(0);
  place.write(fleet([deployment('a', { port: a }), deployment('b', { port: b })]));
  const up = place.spawn('up', '--ephemeral');
  const found = await until(async () => {
    const now = await status();
    return now.gateway.url ? now : null;
  }, 'the gateway');
  process.kill(up.pid, 'SIGTERM');
  expect(await up.exited).toBe(0);
  const pids = pidsOf(found);
  expect([isRunning(pids['a-0'] ?? 0), isRunning(pids['b-0'] ?? 0)]).toEqual([true, false]);
});

test('logs show the output of an engine, also when it has ended', async () => {
  const [a = 0] = await freePorts(1);
  place.write(fleet([deployment('a', { port: a })]));
  expect((await place.berth('apply')).code).toBe(0);
  const follow = place.spawn('logs', 'a', '--follow');
  await until(() => follow.output().stdout.includes(`fake engine on port ${a}`), 'the first line');
  expect((await place.berth('down')).code).toBe(0);
  expect((await place.berth('logs', 'a')).stdout).toContain(`fake engine on port ${a}`);
  expect((await place.berth('logs', 'nobody')).code).toBe(2);
});

test('a secret never reaches argv or environment of an engine, a plan or the status', async () => {
  const [a = 0] = await freePorts(1);
  place.env['MY_KEY'] = 'sk-very-secret';
  const far = `  far: {engine: {kind: openai, url: "http://127.0.0.1:${a}", key: "\${env:MY_KEY}"}}`;
  place.write(fleet([deployment('a', { port: a }), far], ', keys: {me: "${env:MY_KEY}"}'));
  const up = await place.berth('up', '--detach', '--json');
  const found = await status();
  const pid = pidsOf(found)['a-0'] ?? 0;
  const plan = await place.berth('plan', '--json');
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  expect(environment).toContain('"deployment":"a"');
  const seen = [
    readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    environment,
    plan.stdout,
    JSON.stringify(found),
    up.stdout,
  ];
  for (const text of seen) expect(text).not.toContain('sk-very-secret');
  process.kill(pid, 'SIGKILL');
  const again = await until(async () => {
    const now = pidsOf(await status())['a-0'];
    return now && now !== pid ? now : null;
  }, 'the restart');
  expect(readFileSync(`/proc/${again}/environ`, 'utf8')).not.toContain('sk-very-secret');
  const refused = await fetch(`${found.gateway.url}/v1/models`);
  const allowed = await fetch(`${found.gateway.url}/v1/models`, {
    headers: { authorization: 'Bearer sk-very-secret' },
  });
  expect([refused.status, allowed.status]).toEqual([401, 200]);
  // A shell without the secret can end the fleet all the same, and what the gateway was given is gone with it.
  delete place.env['MY_KEY'];
  const ended = await place.berth('down');
  expect(ended.code, ended.stderr).toBe(0);
  const kept = readdirSync(place.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .filter((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').includes('sk-very-secret'));
  expect(kept.map((entry) => entry.name)).toEqual([]);
});
