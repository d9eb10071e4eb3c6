import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import { fakeEngine, freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

let place: Place;
let holder: Server;
let held: number;

beforeEach(async () => {
  place = makePlace();
  holder = createServer((_, response) => response.end('{"status":"ok"}'));
  await new Promise<void>((done) => void holder.listen(0, '127.0.0.1', done));
  held = (holder.address() as { port: number }).port;
});

afterEach(async () => {
  holder.close();
  await place.berth('down');
  await place.close();
});

test('up names the holder of its gateway port before it starts any engine', async () => {
  const [port = 0] = await freePorts(1);
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
  place.write(`version: 1
fleet: lab
id: "${randomBytes(6).toString('hex')}"
deployments: {a: {port: ${port}, engine: {kind: command, command: ${command}}}}
gateway: {listen: ["127.0.0.1:${held}"]}
console: {listen: "127.0.0.1:0"}
`);
  const up = await place.berth('up');
  expect(up.code).toBe(1);
  expect(up.stderr).toContain(`Port ${held} on 127.0.0.1 is held by process ${process.pid} (node`);
  const status = (await place.berth('status', '--json')).json() as FleetStatus;
  expect(status.deployments[0]?.replicas[0]?.state).toBe('stopped');
});

test('an engine that cannot listen is told with its own last lines', async () => {
  const [port = 0] = await freePorts(1);
  // It ignores the port it was given and wants one that somebody has: what a race looks like to whoever started it.
  const script = `console.log('binding'); require('node:http').createServer().listen(${held}, '127.0.0.1')`;
  const command = JSON.stringify([process.execPath, '-e', script, '{port}']);
  place.write(`version: 1
fleet: lab
id: "${randomBytes(6).toString('hex')}"
deployments: {a: {port: ${port}, engine: {kind: command, command: ${command}}}}
`);
  const failed = await place.berth('apply');
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('a ended while starting');
  expect(failed.stdout).toContain(`address already in use 127.0.0.1:${held}`);
});

function gatewayOnly(listen: number, fleet = 'lab', id = randomBytes(6).toString('hex')): string {
  return `version: 1
fleet: ${fleet}
id: "${id}"
deployments: {a: {engine: {kind: openai, url: "http://127.0.0.1:9", servedModel: m}}}
gateway: {listen: ["127.0.0.1:${listen}"]}
console: {listen: "127.0.0.1:0"}
`;
}

async function gatewayUrl(): Promise<string> {
  let url: string | null = null;
  await expect
    .poll(
      async () => {
        url = ((await place.berth('status', '--json')).json() as FleetStatus).gateway.url;
        return url;
      },
      { timeout: 60_000, interval: 100 },
    )
    .not.toBeNull();
  return url ?? '';
}

test('a port that another fleet has for its gateway is told with the name of that fleet', async () => {
  const [port = 0] = await freePorts(1);
  place.write(gatewayOnly(port, 'other', 'k3x9q2'));
  place.spawn('up');
  expect(await gatewayUrl()).toBe(`http://127.0.0.1:${port}`);
  place.write(gatewayOnly(port), 'second.yaml');
  const up = await place.berth('up', '--file', 'second.yaml');
  expect(up.code).toBe(1);
  expect(up.stderr).toMatch(
    new RegExp(`Port ${port} on 127.0.0.1 is held by process \\d+ \\(the gateway of fleet other-k3x9q2\\)`),
  );
});

test('a reload moves the gateway to another address, but not to one that is held', async () => {
  const [port = 0, next = 0] = await freePorts(2);
  const id = randomBytes(6).toString('hex');
  place.write(gatewayOnly(port, 'lab', id));
  const up = place.spawn('up');
  expect(await gatewayUrl()).toBe(`http://127.0.0.1:${port}`);
  place.write(gatewayOnly(held, 'lab', id));
  process.kill(up.pid, 'SIGHUP');
  await expect
    .poll(() => up.output().stderr, { timeout: 60_000 })
    .toContain(`the old configuration stays: Port ${held} on 127.0.0.1 is held by process ${process.pid} (`);
  expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
  place.write(gatewayOnly(next, 'lab', id));
  process.kill(up.pid, 'SIGHUP');
  await expect.poll(gatewayUrl, { timeout: 60_000, interval: 100 }).toBe(`http://127.0.0.1:${next}`);
  await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow('fetch failed');
});
