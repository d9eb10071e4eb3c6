import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fakeEngine, makePlace, ownPorts } from '../support/berth.ts';
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

function write(command: readonly string[]): void {
  const id = randomBytes(8).toString('hex');
  const engine = `{kind: command, command: ${JSON.stringify(command)}, stopGrace: 2s, startTimeout: 20s}`;
  place.write(
    `version: 1\nfleet: lab\n${ownPorts()}\nid: "${id}"\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments: {a: {engine: ${engine}}}\n`,
  );
}

test('an engine that ends without a word is told with how it ended, and with another cure', async () => {
  write(['sh', '-c', 'kill -9 $$']);
  const failed = await place.berth('apply');
  expect(failed.code).toBe(1);
  expect(failed.stdout).toContain('a ended while starting by the signal SIGKILL. It wrote nothing.');
  expect(failed.stdout).toContain('Run its command by hand');
});

test('of two that bring the fleet up at once, the second is told that it is up already', async () => {
  write([process.execPath, fakeEngine, '{port}', '--slow', '500']);
  const both = await Promise.all([place.berth('up', '--detach'), place.berth('up', '--detach')]);
  const [won, lost] = both.toSorted((one, other) => Number(one.code) - Number(other.code));
  expect([won?.code, lost?.code]).toEqual([0, 1]);
  expect(lost?.stderr).toMatch(/^berth: Fleet lab is up already \(process [1-9]\d*\)/);
});
