import { expect, test } from 'vitest';
import { faultLines } from '../../../test/support/fleet-faults.ts';

test('ports are told by the machine, whatever it is called', async () => {
  const text = `version: 1
fleet: lab
hosts:
  far: {ssh: box}
  here: {}
  root: {local: true, become: sudo, reserve: [8090]}
  again: {ssh: "ssh://box", become: sudo}
defaults: {engine: {kind: command, command: [x]}}
deployments:
  a: {host: here, port: 8081}
  b: {host: root, port: 8081}
  c: {host: far, port: 8081}
  d: {host: again, port: 8081}
  e: {host: far, port: 8484}
  f: {host: here, port: 8090}
  g: {host: root, port: 8484}
gateway: {listen: ["127.0.0.1:8484"]}`;
  expect((await faultLines(text)).map((line) => line.replace(/ Give .*| Name .*/, ''))).toEqual([
    '11:25 deployments.b.port: Port 8081 is taken twice on one machine, which is both here and root: a has it in line 10.',
    '13:26 deployments.d.port: Port 8081 is taken twice on one machine, which is both far and again: c has it in line 12.',
    '15:25 deployments.f.port: Port 8090 is reserved on one machine, which is both root and here.',
    '16:25 deployments.g.port: Port 8484 is taken twice on one machine, which is both here and root: the gateway has it in line 17.',
  ]);
});

test('the gateway may listen on one port of several addresses, unless one of them covers another', async () => {
  function faultsOf(listen: string, more = ''): Promise<readonly string[]> {
    const engine = '{kind: command, command: [x]}';
    return faultLines(
      `version: 1\nfleet: lab\ndefaults: {engine: ${engine}}\ngateway: {listen: [${listen}]}\n${more}`,
    );
  }
  const together = ['"127.0.0.1:8484", "10.0.0.5:8484", "[::1]:8484"', '"0.0.0.0:8484", "[::1]:8484"'];
  for (const listen of together) expect(await faultsOf(listen), listen).toEqual([]);
  for (const listen of [
    '"127.0.0.1:8484", "127.0.0.1:8484"',
    '"10.0.0.5:8484", "0.0.0.0:8484"',
    '"[::]:8484", "10.0.0.5:8484"',
    '"localhost:8484", "127.0.0.1:8484"',
  ])
    expect(await faultsOf(listen), listen).toEqual([expect.stringContaining('Port 8484 is taken twice')]);
  const page = 'console: {listen: "127.0.0.1:8484"}';
  expect(await faultsOf('"10.0.0.5:8484"', page)).toEqual([]);
  expect(await faultsOf('"0.0.0.0:8484"', page)).toHaveLength(1);
  const pinned = 'deployments: {a: {port: 8484}}';
  expect(await faultsOf('"10.0.0.5:8484"', pinned)).toHaveLength(1);
});

test('one machine by two users is told before anything is asked of it', async () => {
  const hosts = '{a: {ssh: me@box}, b: {ssh: "ssh://me@box"}, c: {ssh: you@box}, d: {ssh: "you@box:2222"}}';
  expect(await faultLines(`version: 1\nfleet: lab\nhosts: ${hosts}`)).toEqual([
    expect.stringMatching(/^3:62 hosts\.c\.ssh: c is the same machine as a, by another user\. Have both/),
  ]);
});
