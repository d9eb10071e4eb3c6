import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { fakeEngine, freePorts, isRunning, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

async function serve(mode: readonly string[], more: string): Promise<{ up: FleetStatus; pid: number }> {
  const [port = 0] = await freePorts(1);
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...mode]);
  place.write(
    `version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n` +
      `  a: {port: ${port}, ${more}, engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: 10s}}\n`,
  );
  place.spawn('up');
  const up = await until(async () => {
    const found = await status();
    return found.console.url && found.deployments[0]?.replicas[0]?.state === 'ready' ? found : null;
  }, 'the fleet to be up');
  // Until then it could still be loading its model, and is not judged.
  const since = Date.parse(up.deployments[0]?.replicas[0]?.since ?? '');
  await until(() => Date.now() - since > 10_500, 'the time of its start to be over');
  return { up, pid: pidOf(up) };
}

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

function pidOf(found: FleetStatus): number {
  return found.deployments[0]?.replicas[0]?.pid ?? 0;
}

function restarted(pid: number): Promise<FleetStatus> {
  return until(async () => {
    const now = await status();
    return ![0, pid].includes(pidOf(now)) && now.deployments[0]?.replicas[0]?.state === 'ready' ? now : null;
  }, 'the restart');
}

test('an engine that hangs is restarted by up, which status, metrics and the log tell', async () => {
  const { up, pid } = await serve([], 'hungAfter: 2s');
  process.kill(pid, 'SIGSTOP');
  const after = await restarted(pid);
  expect(isRunning(pid)).toBe(false);
  expect(after.deployments[0]?.replicas[0]?.restarts).toBe(1);
  expect(after.findings.map(({ rule, object }) => [rule, object])).toEqual([['engine-hung', 'a-0']]);
  const metrics = await (await fetch(`${up.gateway.url}/metrics`)).text();
  expect(metrics).toContain('berth_gateway_engine_restarts_total{deployment="a",reason="hung"} 1');
});

test('an engine that streams is not restarted, however long its readiness path is silent', async () => {
  const mute = join(place.folder, 'mute');
  const { up, pid } = await serve(['--mute', mute], 'hungAfter: 3s');
  const client = new AbortController();
  const reply = await fetch(`${up.gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', stream: true, messages: [] }),
    signal: client.signal,
  });
  writeFileSync(mute, '');
  let events = 0;
  for await (const part of reply.body ?? []) {
    events += new TextDecoder().decode(part).split('data: ').length - 1;
    // Twenty-five seconds of one event each 50 ms: many times the patience, which a busy machine may take a part of.
    if (events >= 500) break;
  }
  expect(events).toBeGreaterThanOrEqual(500);
  expect(pidOf(await status())).toBe(pid);
  client.abort();
  await until(() => !isRunning(pid), 'the engine to be ended, now that nothing moves');
  rmSync(mute);
  await restarted(pid);
});

test('an engine is left alone where the file says so', async () => {
  const { pid } = await serve([], 'hungAfter: 0s');
  process.kill(pid, 'SIGSTOP');
  await until(async () => {
    const found = await status();
    return found.deployments[0]?.replicas[0]?.state !== 'ready';
  }, 'the silence to be told');
  expect(pidOf(await status())).toBe(pid);
  process.kill(pid, 'SIGCONT');
});
