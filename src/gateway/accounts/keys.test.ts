import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { ClientKey } from '../../domain/client-key.ts';
import { createKeyring } from './keys.ts';

function keyOf(token: string, more: Partial<ClientKey> = {}): ClientKey {
  const sha256 = createHash('sha256').update(token).digest('hex');
  return { id: `id of ${token}`, name: token, sha256, ...more };
}

function keyring(keys: ClientKey[], more: { anonymous?: boolean; wallMs?: () => number } = {}) {
  return createKeyring({ keys, anonymous: false, wallMs: () => 0, ...more });
}

function asked(headers: Record<string, string>, connection: object = {}) {
  return { header: (name: string) => headers[name], connection };
}

function bearer(token: string, connection: object = {}) {
  return asked({ authorization: `Bearer ${token}` }, connection);
}

test('a connection that has shown a good key is asked for one with every request', () => {
  const held = keyring([keyOf('first'), keyOf('other')]);
  const connection = {};
  expect(held.identify(bearer('first', connection)).id).toBe('id of first');
  expect(held.identify(bearer('first', connection)).id).toBe('id of first');
  expect(held.identify(bearer('other', connection)).id).toBe('id of other');
  for (const wrong of ['Bearer firsz', 'Bearer firs', 'Bearer first2', 'first', 'Basic first', ''])
    expect(() => held.identify(asked({ authorization: wrong }, connection)), wrong).toThrow(/key/);
  expect(() => held.identify(asked({}, connection))).toThrow(/wants an API key/);
  expect(() => keyring([keyOf('other')]).identify(bearer('first', connection))).toThrow(/not known/);
});

test("a key may come in Anthropic's header", () => {
  const held = keyring([keyOf('first')]);
  expect(held.identify(asked({ 'x-api-key': 'first' })).id).toBe('id of first');
  expect(() => held.identify(asked({ 'x-api-key': 'firsz' }))).toThrow(/not known/);
});

test('without keys nobody gets in, unless anonymous requests are let in', () => {
  expect(() => keyring([]).identify(asked({}))).toThrow(/wants an API key/);
  const open = keyring([keyOf('first')], { anonymous: true });
  expect(open.identify(asked({})).id).toBe('anonymous');
  expect(open.identify(bearer('sk-none')).id).toBe('anonymous');
  expect(open.identify(bearer('first')).id).toBe('id of first');
});

test('a key that expires is refused from that moment on, on a connection that has used it too', () => {
  let now = Date.parse('2030-01-01T00:00:00Z');
  const held = keyring([keyOf('first', { expiresAt: '2030-01-01T00:00:01Z' })], { wallMs: () => now });
  const connection = {};
  expect(held.identify(bearer('first', connection)).id).toBe('id of first');
  now += 1000;
  expect(() => held.identify(bearer('first', connection))).toThrow('expired at 2030-01-01T00:00:01.000Z');
  expect(() => held.identify(bearer('first'))).toThrow(/expired/);
});

test('a rotated key and its successor are one caller', () => {
  const held = keyring([keyOf('new', { id: 'k' }), keyOf('old', { id: 'k' })]);
  expect([held.identify(bearer('new')).id, held.identify(bearer('old')).id]).toEqual(['k', 'k']);
});

test('control wants a key made for it, where anonymous requests are let in too', () => {
  const held = keyring([keyOf('usual'), keyOf('master', { control: true })], { anonymous: true });
  expect(held.requireControl(bearer('master')).control).toBe(true);
  expect(() => held.requireControl(bearer('usual'))).toThrow(/for control/);
  expect(() => held.requireControl(bearer('sk-none'))).toThrow(/not known/);
  expect(() => held.requireControl(asked({}))).toThrow(/for control/);
});
