import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KeyView } from '../../src/domain/key-record.ts';
import { freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 180_000 });

let place: Place;

beforeEach(async () => {
  place = makePlace();
  const [nobody] = await freePorts(1);
  place.write(`version: 1
fleet: lab
gateway:
  listen: ["127.0.0.1:0"]
  limits: {eachKey: {rpm: 60, budget: {day: {tokens: 1000}}}}
console: {listen: "127.0.0.1:0"}
deployments: {far: {engine: {kind: openai, url: "http://127.0.0.1:${nobody}/v1"}}}
`);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
});

test('what each key has by the file stands beside what a key has of its own, in the list and at the control API', async () => {
  for (const words of ['guest --rpm 5 --month-usd 2', 'plain', 'boss --control']) {
    const added = await place.berth('keys', 'add', ...words.split(' '));
    expect(added.code, added.stderr).toBe(0);
  }
  const { stdout } = await place.berth('keys', 'list');
  expect(stdout).toMatch(/^guest .* rpm 5, day 1000 tokens, month 2 usd +not known$/m);
  expect(stdout).toMatch(/^plain .* rpm 60, day 1000 tokens +not known$/m);
  expect(stdout).toMatch(/^boss .* control +- +-$/m);

  const started = await place.berth('up', '--detach', '--json');
  expect(started.code, started.stderr).toBe(0);
  const [, url = '', token = ''] = /(\S+)\/#token=(\S+)/.exec((await place.berth('console')).stdout) ?? [];
  const reply = await fetch(`${url}/api/keys`, { headers: { authorization: `Bearer ${token}` } });
  const { keys } = (await reply.json()) as { keys: KeyView[] };
  expect(keys.map(({ name, limits, bounds }) => [name, limits, bounds])).toEqual([
    [
      'guest',
      { rpm: 5, budget: { month: { usd: 2 } } },
      { rpm: 5, budget: { day: { tokens: 1000 }, month: { usd: 2 } } },
    ],
    ['plain', null, { rpm: 60, budget: { day: { tokens: 1000 } } }],
    ['boss', null, {}],
  ]);
});
