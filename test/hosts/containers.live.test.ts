import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, realpathSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { findCompose } from '../support/find-compose.ts';
import { fakeVllm, freePorts, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox, ContainerEngine } from './container-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

interface Container {
  readonly Id: string;
  readonly Names: string[];
  readonly State: string;
}

/** CAP_SYS_RESOURCE is the 24th. */
function mayRaiseLimits(): boolean {
  const text = readFileSync('/proc/self/status', 'utf8');
  const rights = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(text)?.[1] ?? '0'}`);
  return ((rights >> 24n) & 1n) === 1n;
}

/** Podman gives what it imports no other tag than the one that rolls. */
function rulesOf({ findings }: Plan): string[] {
  return findings.map(({ rule }) => rule);
}

describe.each<ContainerEngine>(['docker', 'podman'])('containers of %s', (engine) => {
  const missing = missingFor(engine);
  const why = missing === null ? '' : ` (skipped: ${missing})`;
  let box: ContainerBox;
  let image: { entrypoint: string[]; backend: string };
  let place: Place;
  let hosts: string;
  let id: string;

  beforeAll(async () => {
    if (missing !== null) return;
    box = await startBox(engine);
    image = await importLlama(box);
  });
  afterAll(() => box?.stop());

  beforeEach(async () => {
    if (missing !== null) return;
    place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
    hosts = ownPorts();
    id = randomBytes(8).toString('hex');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
  });
  afterEach(async () => {
    if (missing !== null) return;
    await place.berth('down');
    await place.close();
  });

  /** Podman's own networks would leave rules on the machine, so its containers share the machine's. */
  const network = engine === 'podman' ? 'network: host, ' : '';

  function fleet({ slots = 2, target = '', deployment = '', more = '' } = {}): string {
    const entrypoint = JSON.stringify(image.entrypoint);
    return [
      'version: 1',
      'fleet: lab',
      `id: "${id}"`,
      hosts,
      'models: {toy: {source: ./m.gguf}}',
      'gateway: {listen: ["127.0.0.1:0"], limits: {queueTime: 100s}}',
      'console: {listen: "127.0.0.1:0"}',
      'deployments:',
      `  toy: {model: toy, ${deployment}engine: {kind: llama.cpp, slots: ${slots}, context: 256, threads: 1, cacheRam: 0, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${image.backend}}},`,
      `    target: {kind: docker, ${network}image: "${llamaImage}", pull: never, entrypoint: ${entrypoint}${target}}}`,
      more,
    ].join('\n');
  }

  /** A script and its Node, in a container that has the machine's files below /host. */
  function programOfHere(script: string): string[] {
    const [loader = '', flag = '', libraries = ''] = image.entrypoint;
    const more = '/host/usr/lib/x86_64-linux-gnu';
    return [loader, flag, `${libraries}:${more}`, `/host${realpathSync(process.execPath)}`, `/host${script}`];
  }

  async function containers(): Promise<Container[]> {
    return (await box.api.ask('GET', '/containers/json?all=1')).json as Container[];
  }

  /** Names of those that keep what ran before. */
  async function volumes(): Promise<string[]> {
    const { json } = await box.api.ask('GET', '/volumes');
    const { Volumes } = json as { Volumes: { Name: string }[] | null };
    return (Volumes ?? []).map(({ Name }) => Name).filter((name) => name.startsWith(`berth-ran-lab-${id}-`));
  }

  test.skipIf(missing !== null || engine !== 'docker')(
    `what somebody else changed on a container is told, and nothing is done about it by itself${why}`,
    async () => {
      place.write(fleet());
      expect((await place.berth('apply')).code).toBe(0);
      const [container] = await containers();
      const body = { RestartPolicy: { Name: 'no' } };
      await box.api.ask('POST', `/containers/${container?.Id}/update`, { body });
      const drifted = await place.berth('plan', '--json');
      expect(drifted.stdout).toContain('restart: unless-stopped → no');
      expect((drifted.json() as { actions: { do: string }[] }).actions.map((one) => one.do)).toEqual([
        'keep',
      ]);
    },
  );

  test.skipIf(missing !== null)(`an engine that holds its model in memory may lock it${why}`, async () => {
    place.write(fleet().replace('cacheRam: 0', 'loadMode: mlock, cacheRam: 0'));
    const ran = await place.berth('apply');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    const [container] = await containers();
    const { json } = await box.api.ask('GET', `/containers/${container?.Id}/json`);
    const { Ulimits } = (json as { HostConfig: { Ulimits: unknown } }).HostConfig;
    // Where these tests may raise no limit, their daemon may not either.
    const raised = mayRaiseLimits();
    expect(/memlock/i.test(JSON.stringify(Ulimits))).toBe(raised);
    const told = 'the container engine may not raise the limit of locked memory';
    expect((ran.stdout + ran.stderr).includes(told)).toBe(!raised);
    expect(rulesOf((await place.berth('plan', '--json')).json() as Plan)).toEqual(['rolling-image']);
  });

  const compose = findCompose();
  const without = missing ?? (compose === null ? 'no compose 2' : null);
  // A compose program speaks to Docker; podman is spoken to in its stead in words that it does not have in full.
  test.skipIf(without !== null || engine !== 'docker')(
    `a compose file that is rendered and started by compose alone is what berth would apply, and the reverse${without === null ? '' : ` (skipped: ${without})`}`,
    async () => {
      place.write(fleet({ deployment: 'replicas: 2, resources: {limits: {memory: 900Mi}}, ' }));
      expect((await place.berth('render', '--format', 'compose', '--out', 'rendered')).code).toBe(0);
      const file = join(place.folder, 'rendered/compose.yaml');
      const env = { ...process.env, DOCKER_HOST: box.host, HOME: place.folder };
      function composed(...words: string[]): string {
        const [program = '', ...before] = compose ?? [];
        return execFileSync(program, [...before, '-f', file, ...words], {
          encoding: 'utf8',
          env,
          stdio: 'pipe',
        });
      }
      composed('up', '--detach');
      await until(async () => {
        const { deployments } = (await place.berth('status', '--json')).json() as FleetStatus;
        return deployments[0]?.replicas.filter(({ state }) => state === 'ready').length === 2;
      }, 'both containers to be ready');
      const plan = (await place.berth('plan', '--json')).json() as Plan;
      expect([plan.actions.map((action) => action.do), rulesOf(plan)]).toEqual([
        ['keep', 'keep'],
        ['rolling-image'],
      ]);
      composed('down');
      expect(await containers()).toEqual([]);

      // What apply makes is what render wrote: the file that is rendered from then on is the same.
      const applied = await place.berth('apply');
      expect(applied.code, said(applied)).toBe(0);
      const before = readFileSync(file, 'utf8');
      expect((await place.berth('render', '--format', 'compose', '--out', 'rendered')).code).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe(before);
    },
  );

  test.skipIf(missing !== null)(
    `engines answer by the templates that they are given, by the next ones, and after a rollback by somebody else by the first${why}`,
    async () => {
      const [port = 0, other = 0] = await freePorts(2);
      const more = `  other: {model: hub, port: ${other}, engine: {kind: vllm, accelerator: cpu, chatTemplate: ./other.jinja, startTimeout: 60s},
    target: {kind: docker, ${network}image: "${llamaImage}", pull: never, hostConfig: {Binds: ["/:/host:ro"]}, entrypoint: ${JSON.stringify(programOfHere(fakeVllm))}}}`;
      const text = fleet({ deployment: `port: ${port}, `, more });
      place.write(
        text
          .replace('slots: 2', 'chatTemplateFile: chat.jinja, jinja: true, slots: 1')
          .replace('models: {', 'models: {hub: {source: "hf://lab/m"}, '),
      );
      async function done(...args: string[]): Promise<void> {
        const ran = await place.berth(...args);
        expect(ran.code, said(ran)).toBe(0);
      }
      async function expectTemplates(name: string): Promise<void> {
        expect(await Promise.all([port, other].map(promptOf))).toEqual([`${name}: hello`, `${name}: hello`]);
      }
      for (const name of ['first', 'second']) {
        for (const file of ['chat.jinja', 'other.jinja'])
          place.write(`${name}: {{ messages[0].content }}`, file);
        await done('apply');
        await expectTemplates(name);
      }
      // By who has neither the state nor the texts of who applied it.
      const own = place.env['BERTH_STATE_DIR'] ?? '';
      place.env['BERTH_STATE_DIR'] = join(place.folder, 'of somebody else');
      for (const file of ['chat.jinja', 'other.jinja']) place.write('third', file);
      await done('rollback', 'toy', 'other', '--yes');
      await expectTemplates('first');
      place.env['BERTH_STATE_DIR'] = own;
      expect(await volumes()).toHaveLength(6);
      await done('down');
      expect(await volumes()).toEqual([]);
    },
  );

  test.skipIf(missing !== null)(
    `containers that berth did not make are left alone, also where a name is in the way${why}`,
    async () => {
      const [port = 0] = await freePorts(1);
      const foreign = { Image: llamaImage, Entrypoint: image.entrypoint, Cmd: ['--version'] };
      const name = `berth-lab-toy-0-${port}`;
      const made = await box.api.ask('POST', `/containers/create?name=${name}`, { body: foreign });
      expect(made.status).toBe(201);
      const { Id } = made.json as { Id: string };
      place.write(fleet({ deployment: `port: ${port}, ` }));
      const applied = await place.berth('apply');
      expect(said(applied)).toContain(`A container that berth did not make has the name ${name}`);
      expect(said(applied)).toContain(`${engine} rename ${name} OTHER`);
      expect((await place.berth('down')).stdout).toContain('Nothing of fleet lab was running');
      expect((await containers()).map((one) => one.Id)).toEqual([Id]);
      await box.api.ask('DELETE', `/containers/${Id}?force=true`);
    },
  );

  test.skipIf(missing !== null)(
    `an image that is not there, and one that nobody may fetch, are told by name${why}`,
    async () => {
      place.write(fleet().replace(llamaImage, 'berth-test/none:1'));
      const never = await place.berth('apply');
      expect(never.code).not.toBe(0);
      expect(said(never)).toContain('The image berth-test/none:1 for toy is not there');
      place.write(fleet().replace(llamaImage, '127.0.0.1:1/none:1').replace('pull: never', 'pull: missing'));
      const plan = await place.berth('plan');
      expect(plan.stdout + plan.stderr).toContain('127.0.0.1:1/none:1 is not there yet and will be fetched');
      const refused = await place.berth('apply');
      expect(said(refused)).toContain('cannot be fetched:');
      expect(said(refused)).toContain(`${engine} pull 127.0.0.1:1/none:1`);
      expect(await containers()).toEqual([]);
    },
  );

  test.skipIf(missing !== null)(
    `a busy port is told with its holder before anything is made${why}`,
    async () => {
      const server = http.createServer();
      const port = await new Promise<number>((done) => {
        server.listen(0, '127.0.0.1', () => done((server.address() as { port: number }).port));
      });
      place.write(fleet({ deployment: `port: ${port}, ` }));
      const applied = await place.berth('apply');
      server.close();
      expect(applied.code).not.toBe(0);
      expect(said(applied)).toContain(`Port ${port}`);
      expect(await containers()).toEqual([]);
    },
  );

  test.skipIf(missing !== null)(
    `an engine that takes more memory than it may is told as that, and nothing of it is left${why}`,
    async () => {
      place.write(fleet({ deployment: 'resources: {limits: {memory: 8Mi}}, ' }));
      const applied = await place.berth('apply');
      expect(applied.code).not.toBe(0);
      // Podman tells no more than that it was killed.
      const words = engine === 'docker' ? 'killed for the memory that it took' : 'ended while starting';
      expect(said(applied)).toContain(words);
      expect(await containers()).toEqual([]);
    },
  );

  test.skipIf(missing !== null || engine !== 'docker')(
    `a GPU that the engine cannot give is told with its cure${why}`,
    async () => {
      place.write(fleet({ deployment: 'gpus: 1, ' }));
      const applied = await place.berth('apply');
      expect(said(applied)).toContain(
        'The container engine gives toy no GPU: could not select device driver',
      );
      expect(said(applied)).toContain('nvidia-ctk');
      expect(await containers()).toEqual([]);
    },
  );

  test.skipIf(missing !== null)(
    `without a daemon, and without the right to it, the plan says so${why}`,
    async () => {
      place.write(fleet());
      const forbidden = runAs(65_534, place);
      expect(forbidden).toContain('may not use the container engine at');
      place.env['DOCKER_HOST'] = 'unix:///nowhere/d.sock';
      const nobody = await place.berth('apply');
      expect(said(nobody)).toContain('No container engine answers at unix:///nowhere/d.sock');
      place.env['DOCKER_HOST'] = box.host;
    },
  );
});

/** What an engine makes of a question before it answers. */
async function promptOf(port: number): Promise<unknown> {
  const reply = await fetch(`http://127.0.0.1:${port}/apply-template`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hello' }] }),
  });
  return ((await reply.json()) as { prompt?: unknown }).prompt;
}

/** What berth says when another user runs it; the folder and the clone may be read by all. */
function runAs(uid: number, { folder, env }: Place): string {
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  const bin = join(import.meta.dirname, '../../bin/berth.js');
  try {
    return execFileSync(
      'setpriv',
      [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', process.execPath, bin, 'plan'],
      {
        cwd: folder,
        env: { ...env, HOME: folder, BERTH_STATE_DIR: '/tmp/berth-nobody', NODE_COMPILE_CACHE: '' },
        encoding: 'utf8',
        stdio: 'pipe',
      },
    );
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

/** What a person sees of it. */
function said({ stdout, stderr }: { stdout: string; stderr: string }): string {
  return stdout + stderr;
}
