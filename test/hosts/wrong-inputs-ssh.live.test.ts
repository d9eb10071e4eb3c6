import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { importFolder, missingFor, startBox } from './container-box.ts';
import type { ContainerBox } from './container-box.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { addSshUser, sshUser } from './ssh-user.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const lacks = missingForSsh();
if (lacks !== '') console.info(`wrong inputs by ssh: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('a host by ssh', () => {
  let machine: string;
  let place: Place;
  let port: number;

  function inside(...argv: string[]): string {
    return execFileSync(script, ['enter', machine, ...argv], { encoding: 'utf8', stdio: 'pipe' });
  }

  beforeAll(async () => {
    machine = mkdtempSync(join(tmpdir(), 'berth-ssh-wrong-'));
    chmodSync(machine, 0o755);
    execFileSync(script, ['start', machine], { stdio: 'pipe' });
    place = makePlace();
    chmodSync(place.folder, 0o755);
    place.env['PATH'] = `${machine}/bin:${place.env['PATH']}`;
    place.write('GGUF', 'm.gguf');
    [port = 0] = await freePorts(1);
  });
  afterAll(async () => {
    await place?.close();
    if (!machine) return;
    execFileSync(script, ['stop', machine], { stdio: 'pipe' });
    rmSync(machine, { recursive: true, force: true });
  });

  function fleet({
    host = 'box',
    program = process.execPath,
    model = '',
    deployment = '',
    target = '',
  } = {}): string {
    const keyed = deployment.includes('ownKey') ? ['--keyed', '{key-file}'] : [];
    const command = JSON.stringify([program, fakeEngine, '{port}', ...keyed]);
    return [
      'version: 1',
      'fleet: lab',
      'id: wrong3',
      `hosts: {far: {ssh: ${host}, ports: 18400-18440}}`,
      `models: {toy: {source: "${model || join(place.folder, 'm.gguf')}"}}`,
      'deployments:',
      `  a: {model: toy, ${deployment}${target}engine: {kind: command, command: ${command}, startTimeout: 60s}}`,
    ].join('\n');
  }

  const itsUser = `${sshUser.name}@box`;

  /** What is there of engines, and of files but logs and what is kept for those who look back. */
  function traces(): string[] {
    const files = inside('find', join(machine, 'home'), '-type', 'f').split('\n');
    const engines = inside('sh', '-c', "ps -eo args | grep '[f]ake-engine' || true").split('\n');
    return [...files.filter((path) => !/\.log$|\/ran\/|\.lock$/.test(path)), ...engines].toSorted();
  }

  async function hold(): Promise<() => void> {
    const holder = spawn(script, ['enter', machine, process.execPath, fakeEngine, String(port)], {
      stdio: 'ignore',
    });
    await until(() => inside('ss', '-ltnH').includes(`:${port} `), 'the holder of the port');
    return () => {
      inside('pkill', '-f', `fake-engine.mjs ${port}`);
      holder.kill();
    };
  }

  function fillState(): () => void {
    const state = join(machine, 'home/.local/state');
    inside(
      'sh',
      '-c',
      `mkdir -p ${state} && mount -t tmpfs -o size=64k,nr_inodes=2 tmpfs ${state} && touch ${state}/full; true`,
    );
    return () => void inside('umount', '-l', state);
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a port that another program holds there',
      arrange: () => hold(),
      fleet: () => fleet({ deployment: `port: ${port}, ` }),
      code: 1,
      object: () => `Port ${port} on 127.0.0.1`,
      cause: 'is held by',
      cure: () => `name another port than ${port}`,
    },
    {
      name: 'a model that is not there',
      fleet: () => fleet({ model: '/nowhere/none.gguf' }),
      code: 1,
      object: '/nowhere/none.gguf',
      cause: 'does not exist',
      cure: 'Check the path',
    },
    {
      name: 'a program that is not there',
      fleet: () => fleet({ program: '/nowhere/engine' }),
      code: 1,
      object: 'The program /nowhere/engine',
      cause: 'is not on box; a needs it',
      cure: 'Install /nowhere/engine',
    },
    {
      name: 'a full disk there',
      arrange: () => fillState(),
      fleet: () => fleet(),
      code: 1,
      object: () => join(machine, 'home/.local/state'),
      cause: /no space/i,
      cure: 'the space on that machine',
    },
    {
      name: 'a container engine that does not run there',
      fleet: () => fleet({ target: 'target: {kind: docker, image: "a/b:1", entrypoint: [x]}, ' }),
      code: 6,
      object: 'No container engine answers at unix:///var/run/docker.sock of ssh://box',
      cause: 'there is no such socket',
      cure: 'set DOCKER_HOST',
    },
    {
      name: 'a key that is not let in',
      unseen: true,
      fleet: () => fleet({ host: 'denied' }),
      code: 1,
      object: 'ssh://denied',
      cause: 'Permission denied',
      cure: 'ssh denied',
    },
    {
      name: 'a host that does not answer',
      unseen: true,
      fleet: () => fleet({ host: 'dead' }),
      code: 6,
      object: 'ssh://dead',
      cause: 'Connection refused',
      cure: 'What runs there is left as it is until then.',
    },
    {
      name: 'a host of containers that does not answer',
      unseen: true,
      fleet: () =>
        fleet({ host: 'dead', target: 'target: {kind: docker, image: "a/b:1", entrypoint: [x]}, ' }),
      code: 6,
      object: 'ssh://dead',
      cause: 'Connection refused',
      cure: 'What runs there is left as it is until then.',
    },
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });

  describe('whose user is not root', () => {
    function home(): string {
      return join(machine, 'home');
    }

    beforeAll(() => {
      addSshUser(machine);
      inside('chown', '-R', sshUser.id, home());
    });
    afterAll(() => machine && inside('chown', '-R', 'root', home()));

    const theirs: readonly WrongInput[] = [
      {
        name: 'a model that this user may not read',
        arrange: () => {
          place.write('GGUF', 'private.gguf');
          chmodSync(join(place.folder, 'private.gguf'), 0o600);
        },
        fleet: () => fleet({ host: itsUser, model: join(place.folder, 'private.gguf') }),
        code: 1,
        object: 'private.gguf',
        cause: 'cannot be read: permission denied',
        cure: 'chmod o+r',
      },
      {
        name: 'a home where this user may not write',
        arrange: () => {
          inside('chown', '-R', 'root', home());
          return () => inside('chown', '-R', sshUser.id, home());
        },
        fleet: () => fleet({ host: itsUser }),
        code: 1,
        object: home,
        cause: /permission denied/i,
        cure: 'rights of the user that ssh logs in as',
      },
      {
        name: 'a manager of units that this user does not have',
        fleet: () => fleet({ host: itsUser, target: 'target: {kind: systemd}, ' }),
        code: 1,
        object: 'a: The user manager of systemd',
        cause: 'cannot be reached: ',
        cure: 'set "become: sudo" on the host',
      },
    ];

    test.each(theirs)(
      '$name is told with its cause and its cure, and nothing of it is left',
      async (wrong) => {
        const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
        expect(after).toEqual(before);
      },
    );
  });

  const lacksDocker = missingFor('docker');
  describe.skipIf(lacksDocker !== null)('with a container engine', () => {
    let box: ContainerBox;
    const ofContainers = withImage('berth-test/none:1');

    function withImage(image: string): string {
      return `target: {kind: docker, image: "${image}", pull: never, entrypoint: [x]}, `;
    }

    beforeAll(async () => {
      box = await startBox('docker', { before: [script, 'enter', machine], disk: '256m' });
      inside('ln', '-s', box.host.slice('unix://'.length), '/run/docker.sock');
      // Nothing is ever run in it.
      await importFolder(box, 'berth-test/some:1', { folder: place.folder, paths: ['m.gguf'] });
    });
    afterAll(() => box?.stop());

    async function withContainers(): Promise<unknown> {
      return [traces(), (await box.api.ask('GET', '/containers/json?all=1')).json];
    }

    const itsWrongs: readonly WrongInput[] = [
      {
        name: 'an image that is not there',
        fleet: () => fleet({ target: ofContainers }),
        code: 1,
        object: 'The image berth-test/none:1 for a',
        cause: 'is not there and cannot be fetched: pull is "never"',
        cure: 'Check target.image of a',
      },
      {
        name: 'a port that a container is to have and another program holds there',
        arrange: () => hold(),
        fleet: () => fleet({ target: withImage('berth-test/some:1'), deployment: `port: ${port}, ` }),
        code: 1,
        object: () => `Port ${port} on 127.0.0.1`,
        cause: 'is held by',
        cure: () => `name another port than ${port}`,
      },
      {
        name: 'a model for a container that is not there',
        fleet: () => fleet({ target: withImage('berth-test/some:1'), model: '/nowhere/none.gguf' }),
        code: 1,
        object: '/nowhere/none.gguf',
        cause: 'does not exist',
        cure: 'Check the path',
      },
      {
        name: 'a full disk of the engine there',
        arrange: () => box.fill(),
        fleet: () => fleet({ target: withImage('berth-test/some:1') }),
        code: 1,
        object: 'The container of a from berth-test/some:1',
        cause: 'no space left on device',
        cure: 'docker system df',
      },
      {
        name: 'a full disk there where its files go',
        arrange: () => fillState(),
        fleet: () => fleet({ target: withImage('berth-test/some:1'), deployment: 'ownKey: true, ' }),
        code: 1,
        object: () => join(machine, 'home/.local/state'),
        cause: /no space/i,
        cure: 'the space on that machine',
      },
      {
        name: 'a user who may not use it',
        arrange: () => {
          addSshUser(machine);
          inside('chown', '-R', sshUser.id, join(machine, 'home'));
        },
        fleet: () => fleet({ host: itsUser, target: ofContainers }),
        code: 1,
        object: `The user ${sshUser.name} may not use the container engine at`,
        cause: 'may not use',
        cure: `usermod -aG docker ${sshUser.name}`,
      },
    ];

    test.each(itsWrongs)(
      '$name is told with its cause and its cure, and nothing of it is left',
      async (wrong) => {
        const { before, after } = await tryWrong(
          { write: place.write, berth: place.berth, traces: withContainers },
          wrong,
        );
        expect(after).toEqual(before);
      },
    );
  });
});
