import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import type { ScanReport } from '../../src/domain/scan-report.ts';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { freePorts, makePlace, ownPorts, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';

const lacks = missingFor('docker');
if (lacks !== null) console.info(`containers of others: not run, ${lacks}`);

let box: ContainerBox;
let place: Place;
let entrypoint: string[];
let backend: string;

interface Inspected {
  readonly Id: string;
  readonly State: Record<string, unknown>;
  readonly Config: Record<string, unknown>;
  readonly HostConfig: Record<string, unknown>;
  readonly Mounts: readonly { Name?: string; Destination: string }[];
}

async function inspect(name: string): Promise<Inspected | null> {
  const { status, json } = await box.api.ask('GET', `/containers/${name}/json`);
  return status === 200 ? (json as Inspected) : null;
}

async function make(name: string, labels: Record<string, string>): Promise<void> {
  const body = {
    Image: llamaImage,
    Entrypoint: entrypoint,
    Cmd: ['-m', '/models/old.gguf', '--port', '8080'],
    Env: ['LLAMA_ARG_CTX_SIZE=512'],
    Labels: labels,
    Volumes: { '/cache': {} },
    HostConfig: { Binds: ['named:/models'], Memory: 512 * 1024 ** 2 },
  };
  const { status } = await box.api.ask('POST', `/containers/create?name=${name}`, { body });
  expect(status).toBe(201);
}

const head = `version: 1\nfleet: lab\nid: k3x9q2\n${ownPorts()}\nconsole: {listen: "127.0.0.1:0"}\ngateway: {listen: ["127.0.0.1:0"]}\n`;

/** A real llama-server in a container, as a person would have started it. */
async function runServer(
  name: string,
  { Env = [] }: { Env?: readonly string[] } = {},
): Promise<{ id: string; pid: number; port: number }> {
  const [port = 0] = await freePorts(1);
  const body = {
    Image: llamaImage,
    Entrypoint: entrypoint,
    Cmd: '-m /models/m.gguf --host 0.0.0.0 --port 8080 --alias toy -np 2 -c 512 -t 1 --cache-ram 0'.split(
      ' ',
    ),
    Env: [`GGML_BACKEND_PATH=${backend}`, ...Env],
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      Binds: [`${place.folder}:/models:ro`, `kept-${name}:/kept`],
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
    },
  };
  const made = await box.api.ask('POST', `/containers/create?name=${name}`, { body });
  expect(made.status).toBe(201);
  const started = await box.api.ask('POST', `/containers/${name}/start`);
  expect(started.status).toBe(204);
  await until(
    async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => null))?.status === 200,
    `the server in container ${name} to answer`,
    60_000,
  );
  const id = (await inspect(name))?.Id ?? '';
  const server = (await scanned()).find(({ owner }) => owner.name === `docker ${id.slice(0, 12)}`);
  return { id, pid: server?.process.pid ?? 0, port };
}

async function scanned(): Promise<ScanReport['servers']> {
  return ((await place.berth('scan', '--json', '--timeout', '8s')).json() as ScanReport).servers;
}

async function markOf(pid: number): Promise<ScanReport['servers'][number]['mark']> {
  return (await scanned()).find((one) => one.process.pid === pid)?.mark ?? null;
}

async function planned(): Promise<string[][]> {
  const plan: Plan = (await place.berth('plan', '--json')).json();
  return plan.actions.map((one) => [one.do, one.deployment]);
}

async function replica(): Promise<unknown> {
  const { deployments } = (await place.berth('status', '--json')).json() as {
    deployments: { replicas: unknown[] }[];
  };
  return deployments[0]?.replicas[0];
}

async function markVolumes(): Promise<string[]> {
  const { json } = await box.api.ask('GET', '/volumes');
  const { Volumes } = json as { Volumes: { Name: string }[] | null };
  return (Volumes ?? []).map((one) => one.Name).filter((name) => name.startsWith('berth-mark-'));
}

describe.skipIf(lacks !== null)('a container of others', () => {
  beforeAll(async () => {
    box = await startBox('docker');
    ({ entrypoint, backend } = await importLlama(box));
    place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
    place.write(head);
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: join(place.folder, 'm.gguf') });
  }, 120_000);

  afterAll(async () => {
    await place.close();
    box.stop();
  }, 60_000);

  test('goes when it is named, and the undo makes it again with the same definition and volumes', async () => {
    await make('kimi-old', { purpose: 'a trial' });
    const before = await inspect('kimi-old');
    const ran = await place.berth('remove', 'container:kimi-old', '--yes', '--json');
    expect(ran.code, ran.stderr).toBe(0);
    expect(await inspect('kimi-old')).toBeNull();
    const [removed] = (ran.json() as { removed: { undo: string }[] }).removed;
    const undone = await place.berth(...(removed?.undo ?? '').split(' ').slice(1));
    expect(undone.code, undone.stderr).toBe(0);
    const after = await inspect('kimi-old');
    expect(after?.Id).not.toBe(before?.Id);
    expect(after?.Config).toEqual(before?.Config);
    function volumes(one: Inspected | null): string[] | undefined {
      return one?.Mounts.map(({ Name, Destination }) => `${Name} ${Destination}`).toSorted();
    }
    expect(volumes(after)).toEqual(volumes(before));
    expect(after?.HostConfig['Memory']).toBe(before?.HostConfig['Memory']);
  }, 120_000);

  test('that compose keeps is left as it is', async () => {
    await make('composed', { 'com.docker.compose.project': 'chat' });
    const ran = await place.berth('remove', 'container:composed', '--yes');
    expect([ran.code === 0, ran.stderr]).toEqual([false, expect.stringContaining('compose project chat')]);
    expect(await inspect('composed')).not.toBeNull();
  }, 60_000);

  test('is adopted without a restart, disowned, adopted again, and changed as one of berth', async () => {
    const { id, pid, port } = await runServer('kimi');
    const adopted = await place.berth('adopt', String(pid), '--json');
    expect(adopted.code, adopted.stderr + adopted.stdout).toBe(0);
    const { adopted: done } = adopted.json() as {
      adopted: { name: string; object: string; saved: string }[];
    };
    expect([done, adopted.json()]).toMatchObject([
      [{ name: 'toy', object: 'container kimi' }],
      { changes: 0, reached: [] },
    ]);
    expect(JSON.parse(readFileSync(done[0]?.saved ?? '', 'utf8'))).toMatchObject({ Id: id });
    expect(await planned()).toEqual([['keep', 'toy']]);
    expect(await replica()).toMatchObject({ state: 'ready', slots: 2, port });
    const audited = (await place.berth('audit', '--json')).json() as {
      findings: { rule: string; object: string }[];
    };
    expect(audited.findings.filter((one) => one.rule === 'unmanaged' && one.object.includes('toy'))).toEqual(
      [],
    );

    const disowned = await place.berth('disown', 'toy');
    expect(disowned.stdout).toContain('Disowned, and still running: toy (container kimi)');
    expect((await inspect('kimi'))?.State).toMatchObject({ Running: true, Pid: expect.any(Number) });
    expect(await markVolumes()).toEqual([]);
    expect(await markOf(pid)).toBeNull();

    place.write(head);
    const again = await place.berth('adopt', String(pid));
    expect(again.stdout, again.stderr).toContain('Adopted toy (container kimi)');
    expect(await markOf(pid)).toMatchObject({ deployment: 'toy' });
    expect((await inspect('kimi'))?.Id).toBe(id);
    const path = join(place.folder, 'berth.yaml');
    writeFileSync(path, readFileSync(path, 'utf8').replace('slots: 2', 'slots: 3'));
    const applied = await place.berth('apply', '--yes');
    expect(applied.code, applied.stderr + applied.stdout).toBe(0);
    expect(await inspect('kimi')).toBeNull();
    expect(await replica()).toMatchObject({ state: 'ready', slots: 3, port });
    expect((await place.berth('disown', 'toy')).stderr).toContain('was started by berth');
    expect((await place.berth('down')).code).toBe(0);
  }, 180_000);

  test('that was adopted ends with its fleet, its volumes stay, and a mark without a container means nothing', async () => {
    const { pid } = await runServer('mistral');
    place.write(head);
    expect((await place.berth('adopt', String(pid))).code).toBe(0);
    const down = await place.berth('down');
    expect(down.stdout + down.stderr).toContain('container mistral');
    expect(await inspect('mistral')).toBeNull();
    expect(await markVolumes()).toEqual([]);
    const { json } = await box.api.ask('GET', '/volumes');
    const names = (json as { Volumes: { Name: string }[] }).Volumes.map((one) => one.Name);
    expect(names).toContain('kept-mistral');

    const other = await runServer('gone');
    place.write(head);
    expect((await place.berth('adopt', String(other.pid))).code).toBe(0);
    await box.api.ask('DELETE', '/containers/gone?force=true');
    expect(await markVolumes()).toHaveLength(1);
    expect(await planned()).toEqual([['start', 'toy']]);
    expect((await place.berth('down')).stdout).toContain('Nothing of fleet lab was running');
  }, 180_000);

  test('whose start a fleet file cannot tell is only reached, and why is said', async () => {
    const { pid } = await runServer('secret', { Env: ['CHAT_TOKEN=hush'] });
    place.write(head);
    const adopted = await place.berth('adopt', String(pid));
    expect(adopted.stdout).toContain('a variable of its container holds a secret (CHAT_TOKEN)');
    expect(adopted.stdout).not.toContain('hush');
    expect(await markOf(pid)).toBeNull();
    await box.api.ask('DELETE', '/containers/secret?force=true');
  }, 120_000);
});
