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

test('times and sizes of nothing that the gateway cannot take are told, and what to write in their place', async () => {
  const nothing = {
    body: '0B',
    held: '0B',
    queue: 0,
    queueSize: '0B',
    queueTime: '0s',
    connect: '0s',
    firstByte: '0s',
    idle: '0s',
    client: '0s',
    drain: '0s',
    probe: '0s',
  };
  const text = `version: 1
fleet: lab
deployments:
  a: {onClientAbort: {drain: {bytes: 0B}}, engine: {kind: openai, url: "http://box:1"}}
gateway:
  limits: ${JSON.stringify(nothing)}
  accessLog: {size: 0B, keep: 0}
  capture: {size: 0B, body: 0B}`;
  const found = await faultLines(text);
  expect(found.map((line) => /^\S+ (\S+): /.exec(line)?.[1]?.split('.').at(-1))).toEqual([
    'bytes',
    ...Object.keys(nothing).filter((key) => key !== 'queue' && key !== 'drain'),
    'size',
    'size',
  ]);
  expect(found.find((line) => line.includes('queueTime'))).toContain('queue: 0');
});
