import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { fleetLabel, markLabel } from '../../src/container/render.ts';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Mark } from '../../src/domain/instance.ts';
import { dockerApi } from '../../src/io/docker-api.ts';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { startDockerServer } from '../support/docker-server.ts';
import type { DockerServer } from '../support/docker-server.ts';

vi.setConfig({ testTimeout: 240_000 });

let place: Place;
let id: string;
let ports: number[];
let daemon: DockerServer;

beforeEach(async () => {
  id = randomBytes(8).toString('hex');
  ports = await freePorts(2);
  place = makePlace();
  daemon = await startDockerServer(join(place.folder, 'd.sock'));
  place.env['DOCKER_HOST'] = daemon.host;
});

afterEach(async () => {
  await place.berth('down');
  await daemon.close();
  await place.close();
});

function write(b: readonly string[] = []): void {
  const engines = [[], b].map((words, at) => {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', ...words]);
    return `  ${'ab'[at]}: {port: ${ports[at]}, engine: {kind: command, command: ${command}, stopGrace: 1s, startTimeout: 60s}}`;
  });
  place.write(
    `version: 1\nfleet: lab\nid: "${id}"\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\ndeployments:\n${engines.join('\n')}\n`,
  );
}

async function status(): Promise<FleetStatus> {
  return (await place.berth('status', '--json')).json();
}

/** A server that somebody has started in a container, and how often it was asked for a completion. */
async function stranger(): Promise<{ port: number; asked: () => number }> {
  let asked = 0;
  const server = createServer((request, reply) => {
    if (request.method === 'POST') asked += 1;
    reply.writeHead(200, { 'content-type': 'application/json' }).end('{"data": [], "choices": []}');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked: () => asked };
}

/** Its container says that it is one of "a", as which it is to run nowhere. */
async function labelled(port: number, replica: number): Promise<void> {
  const { deployments } = await status();
  const pid = deployments.find(({ name }) => name === 'a')?.replicas[0]?.pid;
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  const text = environment.find((line) => line.startsWith('BERTH_MARK='))?.slice('BERTH_MARK='.length) ?? '';
  const mark = { ...(JSON.parse(text) as Mark), target: { kind: 'docker', image: 'a/b:1' }, port, replica };
  const Labels = { [fleetLabel]: 'lab', [markLabel]: JSON.stringify(mark) };
  const api = dockerApi(daemon.host);
  const made = await api.ask('POST', '/containers/create?name=stranger', { body: { Labels } });
  await api.ask('POST', `/containers/${(made.json as { Id: string }).Id}/start`);
}

test.each([
  ['as one more of its replicas', 1],
  ['in place of its one', 0],
])(
  'a container that says it is an engine of a deployment that runs as processes, %s, gets none of its requests, and is told',
  async (_, replica) => {
    write();
    place.spawn('up');
    const url = await until(async () => {
      const { gateway, deployments } = await status();
      return deployments.every(({ replicas }) => replicas[0]?.state === 'ready') ? gateway.url : null;
    }, 'the fleet to be up');
    const { port, asked } = await stranger();
    await labelled(port, replica);
    const told = (await status()).findings.filter(({ rule }) => rule === 'out-of-place');
    expect(told).toMatchObject([{ object: 'a', evidence: ['container stranger', 'docker'] }]);
    // The gateway takes in what runs by now, and "a" is no part of this change.
    write(['--slow', '0']);
    const changed = await place.berth('apply', '--only', 'b', '--yes');
    expect(changed.code, changed.stderr).toBe(0);
    for (let nth = 0; nth < 6; nth += 1) {
      const body = JSON.stringify({ model: 'a', messages: [{ role: 'user', content: 'hi' }] });
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
      expect([reply.status, await reply.text()]).toEqual([200, expect.stringContaining('hello from')]);
    }
    expect(asked()).toBe(0);
    const replicas = (await status()).deployments.find(({ name }) => name === 'a')?.replicas;
    expect(replicas).toMatchObject([{ port: ports[0], state: 'ready' }]);
  },
);
