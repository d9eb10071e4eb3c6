import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isRunning, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;

beforeEach(() => {
  place = makePlace();
  place.write(
    'version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments: {}\n',
  );
});
afterEach(async () => {
  await place.berth('down');
  await place.close();
});

test('the token of the console is given to who asks for the address, and stands in no JSON, no log and no state', async () => {
  const up = await place.berth('up', '--detach', '--json');
  const { url, tokenFile } = (await place.berth('console', '--json')).json() as {
    url: string;
    tokenFile: string;
  };
  const token = readFileSync(tokenFile, 'utf8').trim();
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(statSync(tokenFile).mode & 0o077).toBe(0);
  const address = (await place.berth('console')).stdout.trim();
  expect(address).toBe(`${url}/#token=${token}`);
  expect(await statusOf(url, token)).toBe(200);
  expect(await statusOf(url, 'guessed')).toBe(401);
  const path = join(place.folder, 'berth.yaml');
  const good = readFileSync(path, 'utf8');
  place.write(`${good}bogus: 1\n`);
  expect((await place.berth('console')).stdout.trim()).toBe(address);
  place.write(good);

  const status = await place.berth('status', '--json');
  for (const text of [up.stdout, up.stderr, status.stdout]) expect(text).not.toContain(token);
  const holders = filesBelow(place.folder).filter((path) => readFileSync(path, 'utf8').includes(token));
  expect(holders).toEqual([tokenFile]);
});

test('the token outlives the control process, ends with the fleet, and without a console there is no address', async () => {
  const up = (await place.berth('up', '--detach', '--json')).json() as { process: { pid: number } };
  const first = await hashOf();
  process.kill(up.process.pid, 'SIGTERM');
  await until(() => !isRunning(up.process.pid), 'the end of the control process');
  await place.berth('up', '--detach');
  expect(await hashOf()).toBe(first);

  await place.berth('down');
  expect(filesBelow(place.folder).filter((path) => path.endsWith('control-token'))).toEqual([]);
  const closed = await place.berth('console');
  expect([closed.code, closed.stderr]).toEqual([6, expect.stringContaining('berth up')]);
  await place.berth('up', '--detach');
  expect(await hashOf()).not.toBe(first);
});

test('an ephemeral console leaves no token behind', async () => {
  const up = place.spawn('up', '--ephemeral');
  await until(() => up.output().stdout.includes('#token='), 'the console');
  up.child.kill('SIGINT');
  expect(await up.exited).toBe(0);
  expect(filesBelow(place.folder).filter((path) => path.endsWith('control-token'))).toEqual([]);
});

test('where the gateway asks for keys the console brings one of its own, and shows none', async () => {
  place.env['LAB_KEY'] = 'a-key-of-the-lab';
  place.write(
    'version: 1\nfleet: lab\ngateway: {listen: ["127.0.0.1:0"], keys: {me: "${env:LAB_KEY}"}}\nconsole: {listen: "127.0.0.1:0"}\ndeployments: {}\n',
  );
  const { gateway } = (await place.berth('up', '--detach', '--json')).json() as { gateway: { url: string } };
  expect((await fetch(`${gateway.url}/v1/models`)).status).toBe(401);
  const { url, tokenFile } = (await place.berth('console', '--json')).json() as {
    url: string;
    tokenFile: string;
  };
  const headers = { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` };
  const models = await fetch(`${url}/api/models`, { headers });
  expect([models.status, await models.json()]).toEqual([200, { object: 'list', data: [] }]);
  const events = (await fetch(`${url}/api/events`, { headers })).body as ReadableStream<Uint8Array>;
  let text = '';
  for await (const part of events) {
    text += Buffer.from(part).toString();
    if (text.includes('"keyNeeded":')) break;
  }
  expect(text).toContain('"keyNeeded":true');
  expect(text).not.toContain('a-key-of-the-lab');
});

test('a console port that is held is named with its holder', async () => {
  await place.berth('up', '--detach');
  const { url } = (await place.berth('console', '--json')).json() as { url: string };
  const { port } = new URL(url);
  place.write(
    `version: 1\nfleet: other\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:${port}"}\ndeployments: {}\n`,
    'other.yaml',
  );
  const second = await place.berth('up', '--file', 'other.yaml');
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`Port ${port} on 127.0.0.1 is held by`);
  expect(second.stderr).not.toContain('another program');
});

async function hashOf(): Promise<string> {
  return new URL((await place.berth('console')).stdout.trim()).hash;
}

async function statusOf(url: string, token: string): Promise<number> {
  return (await fetch(`${url}/api/status`, { headers: { authorization: `Bearer ${token}` } })).status;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
