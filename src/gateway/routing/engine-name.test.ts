import { expect, test } from 'vitest';
import { machineIdentity } from '../../io/machine-identity.ts';
import { engineNameAmong, engineNameOf } from './engine-name.ts';

const url = 'http://127.0.0.1:8080';
const here = { url };
/** The same engine, as a gateway elsewhere reaches it. */
const there = {
  url: 'http://127.0.0.1:40123',
  origin: { machine: 'ssh://opc@box', url, identity: machineIdentity() },
};

test('an engine on loopback has one name, for the gateway beside it and for one that reaches it by ssh', () => {
  expect(engineNameOf(there)).toBe(engineNameOf(here));
  expect(engineNameOf({ ...there, origin: { ...there.origin, identity: 'another boot pid:[1]' } })).not.toBe(
    engineNameOf(here),
  );
});

test('an engine that is not on loopback has its address as its name, wherever it is asked for', () => {
  expect(engineNameOf({ url: 'http://10.0.0.5:8000' })).toBe('instance:http://10.0.0.5:8000');
});

test('who names an engine by the machine that it is on means the one that is known by the identity of that machine', () => {
  const named = { machine: 'ssh://opc@box', url };
  expect(engineNameAmong([{ upstream: there }], named)).toBe(engineNameOf(there));
  expect(engineNameAmong([], named)).toBe('instance:ssh://opc@box http://127.0.0.1:8080');
  expect(engineNameAmong([{ upstream: there }], { url })).toBe(engineNameOf(here));
});
