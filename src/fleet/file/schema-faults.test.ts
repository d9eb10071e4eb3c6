import { expect, test } from 'vitest';
import { faultLines } from '../../../test/support/fleet-faults.ts';

test('a bad name hides nothing of what it names', async () => {
  const text = `version: 1
fleet: lab
hosts: {Box One: {sssh: a}}
deployments:
  My Dep: {engine: {kind: embedded, slots: none}, port: 99999, modl: x}
gateway: {keys: {Me: sk-hidden}}`;
  const found = await faultLines(text);
  expect(found.map((line) => line.replace(/^(\S+ [^:]+): .*/, '$1'))).toEqual([
    '3:9 hosts.Box One',
    '3:19 hosts.Box One.sssh',
    '5:3 deployments.My Dep',
    '5:44 deployments.My Dep.engine.slots',
    '5:57 deployments.My Dep.port',
    '5:64 deployments.My Dep.modl',
    '6:18 gateway.keys.Me',
    '6:22 gateway.keys.Me',
  ]);
  expect(found.join()).not.toContain('hidden');
});

test.each([
  ['hosts: *x', '3:8 hosts: Nothing before this is named &x.'],
  ['hosts: !!python/object:os.system {}', '3:8 : A fleet file has no tags of its own.'],
  ['hosts: {__proto__: {}}', '3:9 hosts.__proto__: "__proto__" cannot be a key.'],
  ['gateway: {routes: {x: {to: {}}}}', '3:28 gateway.routes.x.to: It names no deployment.'],
])('what would be passed over without a word is told: %s', async (line, message) => {
  expect((await faultLines(`version: 1\nfleet: lab\n${line}`))[0]).toContain(message);
});
