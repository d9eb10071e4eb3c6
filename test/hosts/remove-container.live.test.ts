import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';

const lacks = missingFor('docker');
if (lacks !== null) console.info(`removing containers: not run, ${lacks}`);

let box: ContainerBox;
let place: Place;
let entrypoint: string[];

interface Inspected {
  readonly Id: string;
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

describe.skipIf(lacks !== null)('a container of others', () => {
  beforeAll(async () => {
    box = await startBox('docker');
    ({ entrypoint } = await importLlama(box));
    place = makePlace();
    place.env['DOCKER_HOST'] = box.host;
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
});
