import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox, ContainerEngine } from './container-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

describe.each<ContainerEngine>(['docker', 'podman'])('a container of %s with a user of its own', (engine) => {
  const missing = missingFor(engine);
  const why = missing === null ? '' : ` (skipped: ${missing})`;
  let box: ContainerBox;
  let image: { entrypoint: string[]; backend: string };
  let place: Place;

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
    const model = join(place.folder, 'm.gguf');
    await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: 1, path: model });
    chmodSync(model, 0o644);
  });
  afterEach(async () => {
    if (missing !== null) return;
    await place.berth('down');
    await place.close();
  });

  function write(user: string): void {
    const network = engine === 'podman' ? 'network: host, ' : '';
    place.write(
      [
        'version: 1',
        'fleet: lab',
        'id: user',
        ownPorts(),
        'models: {toy: {source: ./m.gguf}}',
        'deployments:',
        `  toy: {model: toy, ownKey: true, engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, cacheRam: 0, startTimeout: 60s, env: {GGML_BACKEND_PATH: ${image.backend}}},`,
        `    target: {kind: docker, user: "${user}", ${network}image: "${llamaImage}", pull: never, entrypoint: ${JSON.stringify(image.entrypoint)}}}`,
      ].join('\n'),
    );
  }

  async function containers(): Promise<{ Id: string }[]> {
    return (await box.api.ask('GET', '/containers/json?all=1')).json as { Id: string }[];
  }

  test.skipIf(missing !== null)(`reads its secrets, and nobody else does${why}`, async () => {
    write('2000:0');
    // Its engine ends where it cannot read the file of its key.
    const applied = await place.berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    const secrets = join(place.folder, 'state/state/lab-user/secrets');
    const [name = ''] = readdirSync(secrets);
    const { uid, mode } = statSync(join(secrets, name));
    expect([uid, mode & 0o777]).toEqual([2000, 0o600]);
    // Once more it is written by berth and handed over again.
    const again = await place.berth('apply', '--restart', 'toy');
    expect(again.code, again.stdout + again.stderr).toBe(0);
  });

  test.skipIf(missing !== null)(`that its image does not know is told before it starts${why}`, async () => {
    write('somebody');
    const applied = await place.berth('apply');
    // Podman looks the name up itself when it makes the container.
    const words = engine === 'docker' ? 'its image knows no such user' : 'somebody';
    expect(applied.stdout + applied.stderr).toContain(words);
    expect(await containers()).toEqual([]);
  });

  test.skipIf(missing !== null || engine !== 'docker')(
    `that berth may not give files to is told, and nothing is left${why}`,
    async () => {
      write('2000:0');
      chmodSync(box.host.slice('unix://'.length), 0o666);
      const said = applyAs(65_534, place);
      expect(said).toContain('runs as user 2000, who cannot be given its secrets and folders');
      expect(said).toContain('berth may not give files to user 2000');
      expect(await containers()).toEqual([]);
    },
  );
});

/** What berth says when another user applies; the folder may be read by all. */
function applyAs(uid: number, { folder, env }: Place): string {
  const own = join(folder, 'own');
  mkdirSync(own);
  execFileSync('chown', [String(uid), own]);
  execFileSync('chmod', ['-R', 'a+rX', folder]);
  const bin = join(import.meta.dirname, '../../bin/berth.js');
  const as = [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${uid}`,
    '--clear-groups',
    process.execPath,
    bin,
    'apply',
  ];
  const [program = '', ...args] = as;
  try {
    return execFileSync(program, args, {
      cwd: folder,
      env: { ...env, HOME: own, BERTH_STATE_DIR: join(own, 'state'), NODE_COMPILE_CACHE: '' },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}
