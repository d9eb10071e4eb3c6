import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, isRunning, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

/** An engine that made room for one that never answers runs again as it did, whatever ended the change. */

let place: Place;
let id: string;

beforeEach(() => {
  id = randomBytes(8).toString('hex');
  place = makePlace();
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

interface Engine {
  readonly port: number;
  readonly mode?: string;
  readonly startTimeout?: string;
}

function write(engines: Record<string, Engine>): void {
  const lines = Object.entries(engines).map(([name, { port, mode = '', startTimeout = '60s' }]) => {
    const words = [process.execPath, fakeEngine, '{port}', ...mode.split(' ').filter((word) => word !== '')];
    return `  ${name}: {port: ${port}, engine: {kind: command, command: ${JSON.stringify(words)}, stopGrace: 2s, startTimeout: ${startTimeout}}}`;
  });
  place.write(
    `version: 1\nfleet: lab\nid: "${id}"\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n${lines.join('\n')}\n`,
  );
}

interface Applied {
  done: { deployment: string; do: string }[];
  notDone: { deployment: string }[];
  back: { deployment: string; failure: { code: string; message: string; cure: string } | null }[];
  failure: { code: string } | null;
}

/** Who answers at a port; 0 where nobody does. */
async function pidAt(port: number): Promise<number> {
  try {
    const url = `http://127.0.0.1:${port}/v1/chat/completions`;
    const answer = await fetch(url, { method: 'POST', body: '{}' });
    return Number(/hello from (\d+)/.exec(await answer.text())?.[1] ?? 0);
  } catch {
    return 0;
  }
}

test('an engine that is replaced in its place by one that crashes runs again as it was, and apply says so and exits with 7', async () => {
  const [port = 0] = await freePorts(1);
  write({ a: { port } });
  expect((await place.berth('apply')).code).toBe(0);
  const before = await pidAt(port);
  write({ a: { port, mode: '--crash' } });
  const failed = await place.berth('apply', '--json');
  expect(failed.code, failed.stderr).toBe(7);
  const { failure, back, notDone } = failed.json() as Applied;
  expect(failure?.code).toBe('ENGINE_CRASHED');
  expect(notDone.map((one) => one.deployment)).toEqual(['a']);
  expect(back).toMatchObject([{ deployment: 'a', failure: null }]);
  const after = await pidAt(port);
  expect(after).not.toBe(0);
  expect(after).not.toBe(before);
  // Nothing is pretended: the file is still to be brought in, and what runs is what ran.
  const { actions } = (await place.berth('plan', '--json')).json() as { actions: { do: string }[] };
  expect(actions.map((action) => action.do)).toEqual(['replace']);
  write({ a: { port } });
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
  expect(await pidAt(port)).toBe(after);
});

test('one that never becomes ready is ended before the old one is started again', async () => {
  const [port = 0] = await freePorts(1);
  write({ a: { port } });
  expect((await place.berth('apply')).code).toBe(0);
  write({ a: { port, mode: '--sick', startTimeout: '2s' } });
  const failed = await place.berth('apply');
  expect(failed.code, failed.stderr).toBe(7);
  expect(failed.stdout).toContain('did not become ready within 2 s');
  expect(failed.stdout).toContain(`Went back: a runs as it did before (process on 127.0.0.1:${port}).`);
  expect(await pidAt(port)).not.toBe(0);
});

test('engines that made room for each other all go back when the first of them fails', async () => {
  const [one = 0, two = 0] = await freePorts(2);
  write({ a: { port: one }, b: { port: two } });
  expect((await place.berth('apply')).code).toBe(0);
  write({ a: { port: two, mode: '--crash' }, b: { port: one } });
  const failed = await place.berth('apply', '--json');
  expect(failed.code, failed.stderr).toBe(7);
  const { back, failure } = failed.json() as Applied;
  expect(failure?.code).toBe('ENGINE_CRASHED');
  expect(back.map(({ deployment, failure: why }) => [deployment, why])).toEqual([
    ['a', null],
    ['b', null],
  ]);
  write({ a: { port: one }, b: { port: two } });
  expect((await place.berth('apply')).stdout).toContain('Nothing had to be done.');
});

test('one whose port another has by then is told with its object, the holder and a cure', async () => {
  const [one = 0, two = 0] = await freePorts(2);
  write({ a: { port: one }, b: { port: two } });
  expect((await place.berth('apply')).code).toBe(0);
  const before = await pidAt(two);
  write({ a: { port: two }, b: { port: one, mode: '--crash' } });
  const failed = await place.berth('apply');
  expect(failed.code, failed.stderr).toBe(7);
  const now = await pidAt(two);
  expect(failed.stdout).toContain('Done: replace a. Not done: replace b.');
  expect(failed.stdout).toContain(
    `b could not go back and does not run; it was process ${before} (process on 127.0.0.1:${two})`,
  );
  expect(failed.stdout).toContain(`could not listen on port ${two}: process ${now} (node`);
  write({ a: { port: two }, b: { port: one } });
  expect((await place.berth('apply')).code).toBe(0);
});

test('whoever changes engines keeps everybody else from doing so until the last of them answers', async () => {
  const [port = 0] = await freePorts(1);
  // The words of its command are told apart by spaces.
  const folder = mkdtempSync(join(tmpdir(), 'berth-gate-'));
  const gate = join(folder, 'gate');
  write({ a: { port, mode: `--gate ${gate}` } });
  const first = place.spawn('apply');
  await until(() => first.output().stderr.includes('Starting a'), 'the first');
  const second = place.spawn('apply');
  await until(
    () => second.output().stderr.includes(`Waiting for berth apply of fleet lab (process ${first.pid})`),
    'the second',
  );
  writeFileSync(gate, '');
  expect([await first.exited, await second.exited]).toEqual([0, 0]);
  expect(second.output().stdout).toContain('Nothing had to be done.');
  rmSync(folder, { recursive: true });
});

test('an apply that is interrupted while the new engine loads goes back, and the requests that waited are served', async () => {
  const [port = 0] = await freePorts(1);
  write({ a: { port } });
  const up = await place.berth('up', '--detach', '--json');
  expect(up.code, up.stdout + up.stderr).toBe(0);
  const { gateway } = up.json() as { gateway: { url: string } };
  const before = await pidAt(port);
  write({ a: { port, mode: '--gate /nowhere/gate' } });
  const apply = place.spawn('apply', '--json');
  await until(() => apply.output().stderr.includes(`Starting a on port ${port}`), 'the new engine');
  const waiting = fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'a', messages: [] }),
  });
  process.kill(apply.pid, 'SIGINT');
  expect(await apply.exited).toBe(130);
  const { failure, back } = JSON.parse(apply.output().stdout) as Applied;
  expect(failure?.code).toBe('APPLY_INTERRUPTED');
  expect(back).toMatchObject([{ deployment: 'a', failure: null }]);
  const answer = await waiting;
  const after = await pidAt(port);
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(`hello from ${after}`)]);
  expect([isRunning(before), after === 0]).toEqual([false, false]);
});
