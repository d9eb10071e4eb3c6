import { expect, test } from 'vitest';
import { slotsText } from './deployment-card.tsx';
import { boundsText, curlLine } from './gateway-card.tsx';
import { destination } from './routes.tsx';

test('the line to paste survives the shell whatever the model is called', () => {
  expect(curlLine('http://127.0.0.1:8484', `o'brien "7b" $HOME`, false)).toBe(
    "curl http://127.0.0.1:8484/v1/chat/completions -H 'Content-Type: application/json' " +
      String.raw`-d '{"model":"o'\''brien \"7b\" $HOME","messages":[{"role":"user","content":"Hello"}]}'`,
  );
});

test('where a key is needed the line names it', () => {
  expect(curlLine('http://h', 'm', true)).toContain('/completions -H "Authorization: Bearer $BERTH_KEY" -H');
});

test('busy slots are told as far as they are known', () => {
  expect([slotsText(4, 2), slotsText(null, 2), slotsText(4, null), slotsText(null, null)]).toEqual([
    '2 of 4 busy',
    '2 busy',
    '4',
    '–',
  ]);
});

test('the gateway tells what bounds an instance at the moment', () => {
  expect([
    boundsText({ slots: 3, kv_tokens: 900.5, rps: 5 }),
    boundsText({ slots: 1 }),
    boundsText({}),
  ]).toEqual(['3 requests at once, 900 tokens in its cache, 5 a second', '1 request at once', '']);
});

test('a route tells its shares and what it is an alias of', () => {
  const [a, b] = [
    { deployment: 'a', weight: 3 },
    { deployment: 'b', weight: 1 },
  ];
  expect(destination({ name: 'm', to: [a, b], aliasOf: null })).toBe('a 75 %, b 25 %');
  expect(destination({ name: 'm', to: [a], aliasOf: 'x' })).toBe('a (alias of x)');
});
