import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePorts, makePlace } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput, WrongInputPlace } from '../support/wrong-input.ts';
import { importLlama, llamaImage, missingFor, startBox } from './container-box.ts';
import type { ContainerBox, ContainerEngine } from './container-box.ts';
import { startPrivateRegistry } from './private-registry.ts';
import type { PrivateRegistry } from './private-registry.ts';
import { fleetWith, fullDisk, nobody, runAsNobody } from './wrong-fleet.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describe.each<ContainerEngine>(['docker', 'podman'])('the target docker, with %s', (engine) => {
  const missing = missingFor(engine);
  let registry: PrivateRegistry;
  let box: ContainerBox;
  let place: Place;
  let entrypoint: string[];
  let port: number;
  const network = engine === 'podman' ? 'network: host, ' : '';

  beforeAll(async () => {
    if (missing !== null) return;
    registry = await startPrivateRegistry(null, randomBytes(64 * 1024));
    box = await startBox(engine, { registry: registry.place, disk: '1g' });
    ({ entrypoint } = await importLlama(box));
    place = makePlace();
    chmodSync(place.folder, 0o755);
    place.env['DOCKER_HOST'] = box.host;
    place.write('GGUF', 'm.gguf');
    [port = 0] = await freePorts(1);
  });
  afterAll(async () => {
    await place?.close();
    box?.stop();
    registry?.close();
  });

  function fleet({
    image = llamaImage,
    pull = 'never',
    deployment = '',
    model = './m.gguf',
    program = '',
  } = {}): string {
    const words = JSON.stringify(program === '' ? entrypoint : [program]);
    return fleetWith(
      `${deployment}engine: {kind: llama.cpp, slots: 1, context: 256, startTimeout: 60s}, target: {kind: docker, ${network}image: "${image}", pull: ${pull}, entrypoint: ${words}}`,
      model,
    );
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a port that another program holds',
      arrange: async () => {
        const server = createServer();
        await new Promise<void>((done) => void server.listen(port, '127.0.0.1', done));
        return () => void server.close();
      },
      fleet: () => fleet({ deployment: `port: ${port}, ` }),
      code: 1,
      object: () => `Port ${port} on 127.0.0.1`,
      cause: () => `held by process ${process.pid}`,
      cure: () => `name another port than ${port}`,
    },
    {
      name: 'an image that is not there and is not to be fetched',
      fleet: () => fleet({ image: 'berth-test/none:1' }),
      code: 1,
      object: 'The image berth-test/none:1 for a',
      cause: 'is not there and cannot be fetched: pull is "never"',
      cure: 'Check target.image of a',
    },
    {
      name: 'an image whose place does not answer',
      fleet: () => fleet({ image: '127.0.0.1:1/none:1', pull: 'missing' }),
      code: 1,
      object: 'The image 127.0.0.1:1/none:1 for a',
      cause: /cannot be fetched: .*refused/,
      cure: `${engine} pull 127.0.0.1:1/none:1`,
    },
    {
      name: 'a model that is not there',
      fleet: () => fleet({ model: './none.gguf' }),
      code: 1,
      object: 'none.gguf',
      cause: 'does not exist',
      cure: 'Check the path',
    },
    {
      name: 'a model that is none',
      fleet: () => fleet(),
      code: 1,
      object: 'a ended while starting',
      cause: /failed to (load|open|read)|invalid|error/i,
      cure: 'Correct what these lines say',
    },
    {
      name: 'a program that the image does not have',
      fleet: () => fleet({ program: '/nowhere/server' }),
      code: 1,
      object: '/nowhere/server',
      cause: 'no such file',
      cure: 'under target.entrypoint of a',
    },
    {
      name: 'a GPU that the machine does not have',
      fleet: () => fleet({ deployment: 'gpus: 1, ' }),
      code: 1,
      object: 'gives a no GPU',
      cause: engine === 'podman' ? 'stat nvidia.com/gpu=0: no such file' : 'select device driver "nvidia"',
      cure: 'nvidia-ctk runtime configure',
    },
    {
      name: 'a daemon that does not run',
      arrange: () => {
        place.env['DOCKER_HOST'] = 'unix:///nowhere/d.sock';
        return () => (place.env['DOCKER_HOST'] = box.host);
      },
      fleet: () => fleet(),
      code: 6,
      object: 'No container engine answers at unix:///nowhere/d.sock',
      cause: 'there is no such socket',
      cure: 'set DOCKER_HOST',
    },
    {
      name: 'a daemon elsewhere that does not answer',
      arrange: () => {
        place.env['DOCKER_HOST'] = 'tcp://127.0.0.1:1';
        return () => (place.env['DOCKER_HOST'] = box.host);
      },
      fleet: () => fleet(),
      code: 6,
      object: 'No container engine answers at tcp://127.0.0.1:1',
      cause: 'ECONNREFUSED',
      cure: 'set DOCKER_HOST',
    },
    {
      name: 'a context of Docker that is not there',
      arrange: () => {
        delete place.env['DOCKER_HOST'];
        place.env['DOCKER_CONTEXT'] = 'nowhere';
        return () => {
          delete place.env['DOCKER_CONTEXT'];
          place.env['DOCKER_HOST'] = box.host;
        };
      },
      fleet: () => fleet(),
      code: 6,
      object: 'No container engine answers at the context nowhere',
      cause: 'there is no such context of Docker',
      cure: 'docker context ls',
    },
    {
      name: 'a full disk of the engine as the image comes',
      arrange: () => box.fill(),
      fleet: () => fleet({ image: `${registry.place}/lab/none:one`, pull: 'missing' }),
      code: 1,
      object: () => `The image ${registry.place}/lab/none:one for a`,
      cause: 'no space left on device',
      cure: `${engine} system df`,
    },
    {
      name: 'a full disk of the engine as the container is made',
      arrange: () => box.fill(),
      fleet: () => fleet(),
      code: 1,
      object: `The container of a from ${llamaImage}`,
      cause: 'no space left on device',
      cure: `${engine} system df`,
    },
    {
      name: "a full disk where the engine's key goes",
      arrange: () => {
        const folder = join(place.folder, 'small');
        const undo = fullDisk(folder);
        const before = place.env['BERTH_STATE_DIR'] ?? '';
        place.env['BERTH_STATE_DIR'] = folder;
        return () => {
          place.env['BERTH_STATE_DIR'] = before;
          undo();
        };
      },
      fleet: () => fleet({ deployment: 'ownKey: true, ' }),
      code: 1,
      object: () => join(place.folder, 'small'),
      cause: 'could not be written: no space is left on that disk',
      cure: 'Free some space there',
    },
  ];

  test.skipIf(missing !== null).each(wrongs)(
    '$name is told with its cause and its cure, and nothing of it is left',
    async (wrong) => {
      const { before, after } = await tryWrong(inPlace(place.berth), wrong);
      expect(after).toEqual(before);
    },
  );

  test.skipIf(missing !== null)(
    'a user who may not use the daemon is told with its cause and its cure, and nothing of it is left',
    async () => {
      const theirs = join(place.folder, 'theirs');
      mkdirSync(theirs);
      execFileSync('chown', [String(nobody), theirs]);
      const { before, after } = await tryWrong(
        inPlace((...args) => runAsNobody(place, args)),
        {
          name: 'no permission',
          fleet: () => fleet(),
          code: 1,
          object: `The user nobody may not use the container engine at ${box.host}`,
          cause: 'may not use',
          cure:
            engine === 'podman' ? 'systemctl --user enable --now podman.socket' : 'usermod -aG docker nobody',
        },
      );
      expect(after).toEqual(before);
      rmSync(theirs, { recursive: true });
    },
  );

  function inPlace(berth: WrongInputPlace['berth']): WrongInputPlace {
    return {
      write: place.write,
      berth,
      traces: async () => {
        const { json } = await box.api.ask('GET', '/containers/json?all=1');
        const volumes = (await box.api.ask('GET', '/volumes')).json as { Volumes: unknown[] | null };
        return [(json as { Id: string }[]).map(({ Id }) => Id), volumes.Volumes ?? []];
      },
    };
  }
});
