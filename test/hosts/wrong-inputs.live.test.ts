import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput, WrongInputPlace } from '../support/wrong-input.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';
import { bin, fleetWith, fullDisk, nobody, runAsNobody } from './wrong-fleet.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

describe.skipIf(process.getuid?.() !== 0)('the target process', () => {
  let place: Place;
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
  const engine = `ownKey: true, engine: {kind: command, command: ${command}, startTimeout: 60s}`;

  beforeAll(() => {
    place = makePlace();
    chmodSync(place.folder, 0o755);
    place.write('GGUF', 'm.gguf');
    mkdirSync(join(place.folder, 'theirs'));
    execFileSync('chown', [String(nobody), join(place.folder, 'theirs')]);
  });
  afterAll(() => place?.close());

  test('a full disk is told with its cause and its cure, and nothing of it is left', async () => {
    const folder = join(place.folder, 'small');
    place.env['BERTH_STATE_DIR'] = folder;
    const { before, after } = await tryWrong(here(place.berth), {
      name: 'a full disk',
      arrange: () => fullDisk(folder),
      fleet: () => fleetWith(engine),
      code: 1,
      object: folder,
      cause: 'could not be written: no space is left on that disk',
      cure: 'Free some space there',
    });
    expect(after).toEqual(before);
  });

  test('an engine that finds its disk full is told with its lines and what makes room, and nothing of it is left', async () => {
    const folder = join(place.folder, 'engine');
    place.env['BERTH_STATE_DIR'] = join(place.folder, 'state');
    const words = JSON.stringify(['sh', '-c', `cp /bin/sh '${folder}/cache' || exit 3`]);
    const { before, after } = await tryWrong(here(place.berth), {
      name: 'a full disk of the engine',
      arrange: () => fullDisk(folder),
      fleet: () => fleetWith(`engine: {kind: command, command: ${words}, startTimeout: 60s}`),
      code: 1,
      object: 'a ended while starting',
      cause: 'No space left on device',
      cure: 'Free some space on the disk that these lines name',
    });
    expect(after).toEqual(before);
  });

  const asNobody: readonly WrongInput[] = [
    {
      name: 'a model that this user may not read',
      arrange: () => {
        place.write('GGUF', 'private.gguf');
        chmodSync(join(place.folder, 'private.gguf'), 0o600);
      },
      fleet: () => fleetWith(engine, './private.gguf'),
      code: 1,
      object: 'private.gguf',
      cause: 'cannot be read: permission denied',
      cure: 'chmod o+r',
    },
    {
      name: 'a folder of models that this user may not enter',
      arrange: () => {
        mkdirSync(join(place.folder, 'private'), { recursive: true });
        chmodSync(join(place.folder, 'private'), 0o700);
      },
      fleet: () => fleetWith(engine, './private/m.gguf'),
      code: 1,
      object: 'private/m.gguf',
      cause: 'cannot be read: permission denied',
      cure: 'permissions of the user who runs berth',
    },
    {
      name: 'a place for its files where this user may not write',
      arrange: () => {
        chmodSync(join(place.folder, 'theirs'), 0o500);
        return () => chmodSync(join(place.folder, 'theirs'), 0o700);
      },
      fleet: () => fleetWith(engine),
      code: 1,
      object: 'theirs',
      cause: 'could not be written: permission denied',
      cure: 'name another folder with --state-dir',
    },
  ];

  test.each(asNobody)(
    '$name is told with its cause and its cure, and nothing of it is left',
    async (wrong) => {
      const { before, after } = await tryWrong(
        here((...args) => runAsNobody(place, args)),
        wrong,
      );
      expect(after).toEqual(before);
    },
  );

  function here(berth: WrongInputPlace['berth']): WrongInputPlace {
    return {
      write: place.write,
      berth,
      traces: () =>
        execFileSync('sh', ['-c', `ps -eo args | grep '${fakeEngine}.*[-]-keyed.*${place.folder}' || true`], {
          encoding: 'utf8',
        }),
    };
  }
});

const lacks = missingForSystemd();
if (lacks !== '') console.info(`wrong inputs with systemd: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('the target systemd', () => {
  let box: SystemdBox;
  let port: number;
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);

  function fleet({ program = command, deployment = '', target = '', model = './m.gguf' } = {}): string {
    return fleetWith(
      `${deployment}target: {kind: systemd${target}}, engine: {kind: command, command: ${program}, startTimeout: 60s, env: {COLOUR: blue}}`,
      model,
    );
  }

  beforeAll(async () => {
    box = startSystemdBox();
    [port = 0] = await freePorts(1);
    writeFileSync(join(box.folder, 'm.gguf'), 'GGUF');
  });
  afterAll(() => box?.stop());

  function inBox(...argv: string[]): string {
    const ran = box.enter(...argv);
    expect(ran.code, ran.stderr).toBe(0);
    return ran.stdout;
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a port that another program holds',
      arrange: async () => {
        inBox('systemd-run', '--quiet', '--unit=holder', process.execPath, fakeEngine, String(port));
        await until(() => inBox('ss', '-ltnH').includes(`:${port} `), 'the holder of the port');
        return () => inBox('systemctl', 'stop', 'holder');
      },
      fleet: () => fleet({ deployment: `port: ${port}, ` }),
      code: 1,
      object: () => `Port ${port} on 127.0.0.1`,
      cause: 'is held by',
      cure: () => `name another port than ${port}`,
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
      name: "a model that the unit's own user may not read",
      arrange: () => {
        writeFileSync(join(box.folder, 'private.gguf'), 'GGUF', { mode: 0o600 });
      },
      fleet: () => fleet({ model: './private.gguf' }),
      code: 1,
      object: 'private.gguf',
      cause: 'The unit runs as a user of its own, who may not read',
      cure: 'chmod o+r',
    },
    {
      name: 'a program that is not there',
      fleet: () => fleet({ program: '["/nowhere/engine", "{port}"]' }),
      code: 1,
      object: '/nowhere/engine',
      cause: /not executable|is not on this machine/,
      cure: /the program of the engine|Install/,
    },
    {
      name: 'a unit of that name that somebody else made',
      arrange: () => {
        inBox(
          'sh',
          '-c',
          'printf "[Service]\\nExecStart=/bin/sleep 9\\n" >/etc/systemd/system/mine.service; systemctl daemon-reload',
        );
        return () => inBox('sh', '-c', 'rm /etc/systemd/system/mine.service; systemctl daemon-reload');
      },
      fleet: () => fleet({ target: ', unit: mine' }),
      code: 1,
      object: 'mine',
      cause: "and is not this fleet's",
      cure: 'target.unit',
    },
    {
      name: 'a full disk where units have their variables',
      arrange: () => {
        inBox(
          'sh',
          '-c',
          'mkdir -p /etc/berth && mount -t tmpfs -o size=4k tmpfs /etc/berth && head -c 4096 /dev/zero >/etc/berth/full',
        );
        return () => inBox('sh', '-c', 'umount /etc/berth && rmdir /etc/berth');
      },
      fleet: () => fleet(),
      code: 1,
      object: '/etc/berth/units/berth-lab-a/environment',
      cause: 'no space is left on that disk',
      cure: 'Free some space there',
    },
  ];

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong(
      inPlace((...args) => box.berth(args)),
      wrong,
    );
    expect(after).toEqual(before);
  });

  test('a user without a manager of systemd is told with its cause and its cure, and nothing of it is left', async () => {
    chmodSync(box.folder, 0o755);
    const { before, after } = await tryWrong(inPlace(asNobodyInBox), {
      name: 'no permission',
      fleet: () => fleet(),
      code: 1,
      object: 'The user manager of systemd',
      cause: 'cannot be reached: ',
      cure: 'loginctl enable-linger',
    });
    expect(after).toEqual(before);
  });

  function asNobodyInBox(...args: string[]): ReturnType<SystemdBox['berth']> {
    const theirs = join(box.folder, 'theirs');
    const line = `mkdir -p '${theirs}' && chown ${nobody} '${theirs}' && cd '${box.folder}' && exec setpriv --reuid=${nobody} --regid=${nobody} --clear-groups env -u XDG_RUNTIME_DIR HOME='${theirs}' BERTH_STATE_DIR='${theirs}' NODE_COMPILE_CACHE= "$0" "$@"`;
    return box.enter('sh', '-c', line, process.execPath, bin, ...args);
  }

  function inPlace(berth: WrongInputPlace['berth']): WrongInputPlace {
    return {
      write: (text) => writeFileSync(join(box.folder, 'berth.yaml'), text),
      berth,
      traces: () =>
        inBox(
          'sh',
          '-c',
          'find /etc/systemd/system /etc/berth /var/cache 2>/dev/null | grep berth | sort; systemctl list-units --all --plain --no-legend "berth-*"; true',
        ),
    };
  }
});
