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

test('a host that does not answer and that no deployment is for is told, and an apply is whole without it', async () => {
  const text = `version: 1
fleet: lab
hosts:
  box: {local: true, ports: ${ownPorts().replace(/^.*ports: (.*)}}$/, '$1')}}
  far: {kubernetes: {context: nowhere, kubeconfig: ${JSON.stringify(`${place.folder}/none`)}}}
deployments:
  a: {host: box, engine: {kind: command, command: ${JSON.stringify([process.execPath, fakeEngine, '{port}'])}}}
`;
  place.write(text);
  const done = await place.berth('apply');
  expect([done.code, done.stdout + done.stderr]).toEqual([0, expect.stringContaining('Host far could not')]);
  expect(done.stdout).not.toContain('Nothing was done on far');
  place.write(
    `${text}  b: {host: far, target: {kind: kubernetes, image: "x:1", entrypoint: [/x]}, engine: {kind: command, command: [/x, "{port}"]}}\n`,
  );
  const partly = await place.berth('apply');
  expect([partly.code === 0, partly.stdout + partly.stderr]).toEqual([
    false,
    expect.stringContaining('was done on far'),
  ]);
});
