import { expect, test } from 'vitest';
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
