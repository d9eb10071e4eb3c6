import { expect, test } from 'vitest';
import type { SharedHolder, SharedHolders } from './shared-holders.ts';
import { responseIdIn, storedAsk, StoredResponses } from './stored-responses.ts';

const alone = { holders: () => null, engineOf: () => null, instanceOf: () => null };
const holder = { model: 'm', deployment: 'd', instance: 'u0', key: 'a' };

test('the oldest responses are forgotten beyond a bound, and one that was asked for is not old', () => {
  const stored = new StoredResponses(alone);
  for (let i = 0; i < 10_000; i += 1) stored.remember(`resp_${i}`, holder);
  expect(stored.find('resp_0')).toEqual(holder);
  stored.remember('resp_new', holder);
  expect(stored.find('resp_1')).toBeNull();
  expect(stored.find('resp_2')).toEqual(holder);
  expect(stored.find('resp_0')).toEqual(holder);
});

test('a response that another gateway keeps for somebody else is not taken by one that repeats its id', async () => {
  const kept = new Map<string, SharedHolder>();
  const holders: SharedHolders = {
    remember: async (id, one) => kept.get(id) ?? (kept.set(id, one), one),
    find: async (id) => kept.get(id) ?? null,
  };
  const together = {
    holders: () => holders,
    engineOf: (instance: string) => instance,
    instanceOf: (name: string) => name,
  };
  const [one, two] = [new StoredResponses(together), new StoredResponses(together)];
  one.remember('resp_1', holder);
  two.remember('resp_1', { ...holder, key: 'b' });
  // At once, and later.
  expect([await two.find('resp_1'), await two.find('resp_1')]).toEqual([holder, holder]);
  expect(await one.find('resp_1')).toEqual(holder);
  two.remember('resp_2', holder);
  await two.find('resp_2');
  // Nobody need be asked for its own.
  expect(two.find('resp_2')).toEqual(holder);
});

test('the id of a response is the first that is no part of a text', () => {
  expect(responseIdIn('{"object":"response","instructions":"\\"id\\":\\"resp_text\\"","id":"resp_1"}')).toBe(
    'resp_1',
  );
  expect(responseIdIn('event: response.created\ndata: {"response":{"id": "resp_2"')).toBe('resp_2');
  expect(responseIdIn('{"previous_response_id":"resp_3","id":"msg_1"}')).toBeNull();
});

test('paths of stored responses are those of the API, each with its methods', () => {
  expect(storedAsk('GET', '/v1/responses/resp_1')).toBe('resp_1');
  expect(storedAsk('POST', '/v1/responses/resp_1/cancel')).toBe('resp_1');
  expect(storedAsk('GET', '/v1/responses/resp_1/../x')).toBeNull();
  expect(() => storedAsk('POST', '/v1/responses/resp_1/input_items')).toThrow('answers GET, not POST');
});
