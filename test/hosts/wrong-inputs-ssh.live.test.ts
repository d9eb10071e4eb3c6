import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { missingForSsh } from './missing-for-ssh.ts';

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
    execFileSync(script, ['start', machine], { stdio: 'pipe' });
    place = makePlace();
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
    const command = JSON.stringify([program, fakeEngine, '{port}']);
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

  /** What is there of engines, and of files but logs and what is kept for those who look back. */
  function traces(): string[] {
    const files = inside('find', join(machine, 'home'), '-type', 'f').split('\n');
    const engines = inside('sh', '-c', "ps -eo args | grep '[f]ake-engine' || true").split('\n');
    return [...files.filter((path) => !/\.log$|\/ran\/|\.lock$/.test(path)), ...engines].toSorted();
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a port that another program holds there',
      arrange: async () => {
        const holder = spawn(script, ['enter', machine, process.execPath, fakeEngine, String(port)], {
          stdio: 'ignore',
        });
        await until(() => inside('ss', '-ltnH').includes(`:${port} `), 'the holder of the port');
        return () => inside('pkill', '-f', `fake-engine.mjs ${port}`) && holder.kill();
      },
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
      cause: 'a needs it',
      cure: 'Install /nowhere/engine',
    },
    {
      name: 'a full disk there',
      arrange: () => {
        const state = join(machine, 'home/.local/state');
        inside(
          'sh',
          '-c',
          `mkdir -p ${state} && mount -t tmpfs -o size=64k,nr_inodes=2 tmpfs ${state} && touch ${state}/full; true`,
        );
        return () => inside('umount', '-l', state);
      },
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
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });
});
