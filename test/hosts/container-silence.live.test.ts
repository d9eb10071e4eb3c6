import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { enginesAt, portsIn } from './suite/inventory.ts';

vi.setConfig({ testTimeout: 420_000, hookTimeout: 120_000 });

const missing = missingFor('docker');
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** A way to a daemon's socket that can be cut and comes back. */
interface Way {
  readonly open: () => Promise<void>;
  readonly cut: () => void;
}

function wayTo(socket: string, from: string): Way {
  let server: Server | null = null;
  const ends = new Set<Socket>();
  return {
    open: () =>
      new Promise((done) => {
        server = createServer((near) => {
          const far = connect(socket);
          for (const end of [near, far]) {
            ends.add(end);
            end.on('error', () => end.destroy());
            end.on('close', () => ends.delete(end));
          }
          near.pipe(far).pipe(near);
        });
        server.listen(from, done);
      }),
    cut: () => {
      server?.close();
      for (const end of ends) end.destroy();
      rmSync(from, { force: true });
    },
  };
}

describe.skipIf(missing !== null)(`containers of a real dockerd${why}`, () => {
  let box: ContainerBox;
  let image: { entrypoint: string[]; backend: string };
  let place: Place;
  let way: Way;
  let hosts: string;
  let id: string;

  beforeAll(async () => {
    box = await startBox('docker');
    image = await importLlama(box);
  });
  afterAll(() => box?.stop());

  beforeEach(async () => {
    place = makePlace();
    const socket = join(place.folder, 'd.sock');
    way = wayTo(box.host.slice('unix://'.length), socket);
    await way.open();
    place.env['DOCKER_HOST'] = `unix://${socket}`;
    hosts = ownPorts();
    id = randomBytes(8).toString('hex');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'toy.gguf') });
  });
  afterEach(async () => {
    await place.berth('down');
    await place.close();
    way.cut();
  });

  /** An engine in a container, and one beside it that is a process. */
  function fleet({ beside = 2, more = '' } = {}): void {
    const entrypoint = JSON.stringify(image.entrypoint);
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    place.write(`version: 1
fleet: lab
id: "${id}"
${hosts}
models: {toy: {source: ./toy.gguf}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
deployments:
  toy: {model: toy, ${more}engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, warmup: false, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${image.backend}}}, target: {kind: docker, image: "${llamaImage}", pull: never, entrypoint: ${entrypoint}}}
  beside: {engine: {kind: command, command: ${command}, slots: ${beside}, stopGrace: 2s, startTimeout: 60s}}
`);
  }

  /** The same without the container. */
  function withoutContainer(): void {
    fleet();
    const path = join(place.folder, 'berth.yaml');
    place.write(readFileSync(path, 'utf8').replace(/^ {2}toy: .*\n/m, ''));
  }

  async function leftOver(): Promise<string[]> {
    const { actions, findings } = (await place.berth('plan', '--json')).json() as Plan;
    const told = findings.filter(({ rule }) => rule === 'not-removed').map(({ object }) => `left ${object}`);
    return [...actions.map((action) => `${action.do} ${action.deployment}`), ...told];
  }

  async function replica(name: string): Promise<ReplicaStatus | undefined> {
    const status = (await place.berth('status', '--json')).json() as FleetStatus;
    return status.deployments.find((one) => one.name === name)?.replicas[0];
  }

  async function ids(): Promise<string[]> {
    const { json } = await box.api.ask('GET', '/containers/json?all=1');
    return (json as { Id: string }[]).map(({ Id }) => Id);
  }

  async function isServed(gateway: string): Promise<boolean> {
    const body = JSON.stringify({ model: 'toy', prompt: 'one', max_tokens: 2 });
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(`${gateway}/v1/completions`, { method: 'POST', headers, body });
    return reply.status === 200;
  }

  async function up(): Promise<string> {
    const ran = await place.berth('up', '--detach', '--json');
    expect(ran.code, ran.stderr).toBe(0);
    return (ran.json() as { gateway: { url: string } }).gateway.url;
  }

  test('what runs of a daemon that cannot be asked is not known: nothing of it is planned, and its engines go on serving', async () => {
    fleet();
    const gateway = await up();
    expect(await isServed(gateway)).toBe(true);
    const before = await ids();
    expect(before).toHaveLength(1);

    way.cut();
    const plan = (await place.berth('plan', '--json')).json() as Plan;
    expect(plan.actions.map((action) => [action.do, action.deployment])).toEqual([['keep', 'beside']]);
    expect(plan.unreached).toEqual([{ host: 'local', target: 'docker', code: 'DOCKER_UNREACHABLE' }]);
    expect(plan.findings.find(({ rule }) => rule === 'target-unreachable')).toMatchObject({
      severity: 'critical',
      object: 'local',
      evidence: ['DOCKER_UNREACHABLE'],
    });
    expect((await replica('toy'))?.state).toBe('unreachable');

    // The gateway takes in anew what runs.
    fleet({ beside: 3 });
    const applied = await place.berth('apply', '--yes');
    expect(applied.code, applied.stderr).toBe(7);
    expect(applied.stdout).toContain('Done: replace beside. Nothing was done on local (docker).');
    expect(await isServed(gateway)).toBe(true);
    const drained = await place.berth('drain', 'local');
    expect([drained.code, drained.stderr]).toEqual([
      6,
      expect.stringContaining('No container engine answers'),
    ]);
    expect(await isServed(gateway)).toBe(true);

    await way.open();
    await until(async () => (await replica('toy'))?.state === 'ready', 'the daemon to be asked again');
    const again = (await place.berth('plan', '--json')).json() as Plan;
    expect(again.actions.map((action) => action.do)).toEqual(['keep', 'keep']);
    expect(await ids()).toEqual(before);
    expect(await isServed(gateway)).toBe(true);

    way.cut();
    const down = await place.berth('down');
    expect(down.stdout).toContain('Host local (docker) could not be looked at');
    expect(down.stdout).toContain('What runs there goes on.');
    expect(await ids()).toEqual(before);
    await way.open();
    expect((await place.berth('down')).code).toBe(0);
    expect(await ids()).toEqual([]);
  });

  test('a container whose engine hangs is restarted by up as the same container, which status and journal tell', async () => {
    fleet({ more: 'hungAfter: 4s, ' });
    const gateway = await up();
    await until(() => isServed(gateway), 'the engine to serve');
    const before = await ids();
    const [pid = 0] = enginesAt(portsIn(hosts));
    expect(pid).toBeGreaterThan(0);
    process.kill(pid, 'SIGSTOP');
    await until(
      () => {
        const now = enginesAt(portsIn(hosts));
        return now.length === 1 && now[0] !== pid;
      },
      'the engine to be restarted',
      200_000,
    );
    await until(() => isServed(gateway), 'the engine to serve again');
    expect(await ids()).toEqual(before);
    // On a busy machine it may have been slow once more.
    expect((await replica('toy'))?.restarts).toBeGreaterThanOrEqual(1);
    const told = await until(async () => {
      const { entries } = (await place.berth('journal', 'toy', '--json')).json() as {
        entries: { command: string; do: string; reasons: string[]; outcome: string }[];
      };
      return entries.find((one) => one.do === 'restart' && one.outcome !== 'under way');
    }, 'the journal to tell the end of it');
    expect(told).toMatchObject({ command: 'up', reasons: ['it ran and did not answer'], outcome: 'done' });
  });

  test('a container that leaves the file while its daemon is silent is told, stays, and goes once it answers', async () => {
    fleet();
    expect((await place.berth('apply', '--yes')).code).toBe(0);
    const [container] = await ids();
    way.cut();
    withoutContainer();
    expect(await leftOver()).toEqual(['keep beside', 'left toy']);
    const applied = await place.berth('apply', '--yes');
    expect([applied.code, applied.stderr], applied.stdout).toEqual([
      0,
      expect.stringContaining('cannot be looked at, so it is not removed'),
    ]);
    expect(await ids()).toEqual([container]);
    await way.open();
    expect(await leftOver()).toEqual(['stop toy', 'keep beside']);
    expect((await place.berth('apply', '--yes')).code).toBe(0);
    expect(await ids()).toEqual([]);
    way.cut();
    expect(await leftOver()).toEqual(['keep beside']);
  });
});
