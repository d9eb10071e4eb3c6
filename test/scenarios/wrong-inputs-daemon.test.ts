import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { freePorts, makePlace, ownPorts } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { startDockerServer } from '../support/docker-server.ts';
import type { DockerServer } from '../support/docker-server.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';

vi.setConfig({ testTimeout: 120_000 });

/** What only the container engine itself can find wrong, said by one at the wire in the words of Docker and podman. */

let place: Place;
let daemon: DockerServer;
let port: number;

beforeAll(async () => {
  place = makePlace();
  daemon = await startDockerServer(join(place.folder, 'd.sock'));
  place.env['DOCKER_HOST'] = daemon.host;
  place.write('GGUF', 'm.gguf');
  [port = 0] = await freePorts(1);
});
afterAll(async () => {
  await daemon?.close();
  await place?.close();
});

function fleet({ pull = 'missing' } = {}): string {
  return [
    'version: 1',
    'fleet: lab',
    'id: wrong4',
    ownPorts(),
    'models: {toy: {source: ./m.gguf}}',
    'deployments:',
    `  a: {model: toy, port: ${port}, ownKey: true, engine: {kind: llama.cpp, slots: 1, context: 256, startTimeout: 3s}, target: {kind: docker, image: "a/b:1", entrypoint: [serve], pull: ${pull}}}`,
  ].join('\n');
}

function refusing(question: string, status: number, message: string): () => () => void {
  return () => {
    daemon.refuse = (asked) => (asked === question ? [status, message] : undefined);
    return () => (daemon.refuse = () => undefined);
  };
}

const wrongs: readonly (Omit<WrongInput, 'fleet'> & Partial<WrongInput>)[] = [
  {
    name: 'a port that another container has',
    arrange: refusing(
      'POST /containers/ID/start',
      500,
      'driver failed programming external connectivity on endpoint berth-lab-a: Bind for 127.0.0.1:1 failed: port is already allocated',
    ),
    code: 1,
    object: () => `Port ${port} on 127.0.0.1`,
    cause: 'held by another program or container',
    cure: () => `name another port than ${port}`,
  },
  {
    name: 'a disk of the engine that is full as a container is made',
    arrange: refusing(
      'POST /containers/create',
      500,
      'mkdir /var/lib/docker/overlay2/8f-init: no space left on device',
    ),
    code: 1,
    object: 'The container of a from a/b:1',
    cause: 'no space left on device',
    cure: 'docker system df',
  },
  {
    name: 'a disk of the engine that is full as the image comes',
    arrange: refusing(
      'POST /images/create',
      500,
      'failed to register layer: write /usr/lib/libcuda.so: no space left on device',
    ),
    fleet: () => fleet({ pull: 'always' }),
    code: 1,
    object: 'The image a/b:1 for a',
    cause: 'no space left on device',
    cure: 'docker system df',
  },
  {
    name: 'a disk quota of the user that is spent',
    arrange: refusing(
      'POST /containers/create',
      500,
      'creating container storage: write /home/me/.local/share/containers/storage/x: disk quota exceeded',
    ),
    code: 1,
    object: 'The container of a from a/b:1',
    cause: 'disk quota exceeded',
    cure: 'docker system df',
  },
  {
    name: 'a name that another container has',
    arrange: refusing(
      'POST /containers/create',
      409,
      'Conflict. The container name "/berth-lab-a" is already in use by container "8f".',
    ),
    code: 1,
    object: 'berth-lab-a',
    cause: 'A container that berth did not make has the name',
    cure: 'docker rename',
  },
];

test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
  const { before, after } = await tryWrong({ ...place, traces: daemon.containers }, { fleet, ...wrong });
  expect(after).toEqual(before);
  expect(existsSync(keysOfEngines()) ? readdirSync(keysOfEngines()) : []).toEqual([]);
});

/** Where the container is given its key; what is kept of it lies elsewhere. */
function keysOfEngines(): string {
  return join(place.folder, 'state/state/lab-wrong4/secrets');
}
