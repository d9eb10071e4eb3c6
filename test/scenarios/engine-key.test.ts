import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let port = 0;

beforeEach(async () => {
  place = makePlace();
  [port = 0] = await freePorts(1);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

function write(args: readonly string[]): void {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...args]);
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"], keys: {me: "\${env:MY_KEY}"}}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n` +
      `  a: {port: ${port}, ownKey: true, engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: 30s}}\n`,
  );
}

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

function ask(url: string, key: string | null): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    },
    body: JSON.stringify({ model: 'a', messages: [] }),
  });
}

test('an engine has a key of its own that the gateway puts in place of the client’s, and that nothing shows', async () => {
  place.env['MY_KEY'] = 'sk-of-a-client';
  write(['--keyed', '{key-file}']);
  place.spawn('up');
  // It asks for its key on every path, so it is ready only for who sends it.
  const up = await until(async () => {
    const found = await status();
    return found.console.url && found.deployments[0]?.replicas[0]?.state === 'ready' ? found : null;
  }, 'the fleet to be up');
  const plan = await place.berth('plan', '--json');
  const [action] = (plan.json() as Plan).actions;
  expect(action?.do).toBe('keep');
  const engine = `http://127.0.0.1:${port}`;
  expect((await ask(engine, null)).status).toBe(401);
  expect((await ask(engine, 'sk-of-a-client')).status).toBe(401);
  expect((await ask(up.gateway.url ?? '', 'sk-of-a-client')).status).toBe(200);

  const pid = up.deployments[0]?.replicas[0]?.pid ?? 0;
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
  const file = /"key":\{"file":"([^"]+)"/.exec(environment)?.[1] ?? '';
  const key = readFileSync(file, 'utf8').trim();
  expect((await ask(engine, key)).status).toBe(200);
  expect(key.length).toBeGreaterThan(40);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const logs = await place.berth('logs', 'a');
  const seen = [
    readFileSync(`/proc/${pid}/cmdline`, 'utf8'),
    environment,
    plan.stdout,
    JSON.stringify(up),
    logs.stdout,
  ];
  for (const text of seen) expect(text).not.toContain(key);

  // After an end and a new beginning it is the same.
  await place.berth('down');
  expect((await place.berth('apply')).code).toBe(0);
  expect((await ask(engine, key)).status).toBe(200);
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
});

test('an engine that could not be handed a key is refused before anything is touched', async () => {
  place.env['MY_KEY'] = 'sk-of-a-client';
  write([join(place.folder, 'unused')]);
  const refused = await place.berth('plan');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('asks for a key of its own, and nothing would hand it to the engine');
  expect(refused.stderr).toContain('{key-file}');
});
