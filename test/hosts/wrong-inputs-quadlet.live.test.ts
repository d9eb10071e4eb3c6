import { writeFileSync } from 'node:fs';
import { chmodSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, until } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput, WrongInputPlace } from '../support/wrong-input.ts';
import { findQuadlet } from './find-quadlet.ts';
import { buildUsualLlama, missingForPodmanMachine, startPodmanMachine } from './podman-machine.ts';
import type { SystemdBox } from './systemd-box.ts';
import { bin, fleetWith, nobody } from './wrong-fleet.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const quadlet = findQuadlet();
const missing =
  missingForPodmanMachine() ??
  (quadlet === null ? 'no quadlet of podman: tools/live/quadlet.sh gets one' : null);
if (missing !== null) console.info(`wrong inputs with units of containers: not run, ${missing}`);

describe.skipIf(missing !== null)('the target systemd with a container', () => {
  const unit = 'berth-lab-a';
  let box: SystemdBox;
  let graph: string;
  let port: number;

  beforeAll(async () => {
    box = startPodmanMachine([dirname(quadlet ?? '')]);
    chmodSync(box.folder, 0o755);
    graph = join(box.folder, 'graph');
    inBox('sh', '-c', `mkdir '${graph}' && mount -t tmpfs -o size=1g tmpfs '${graph}'`);
    buildUsualLlama(box);
    for (const scope of ['system', 'user'])
      inBox(
        'sh',
        '-c',
        `mkdir -p /etc/systemd/${scope}-generators && cp '${quadlet}' /etc/systemd/${scope}-generators/podman-${scope}-generator`,
      );
    [port = 0] = await freePorts(1);
    writeFileSync(join(box.folder, 'm.gguf'), 'GGUF');
  });
  afterAll(() => box?.stop());

  function inBox(...argv: string[]): string {
    const ran = box.enter(...argv);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout;
  }

  function fleet({ container = '', deployment = '', model = './m.gguf' } = {}): string {
    return fleetWith(
      `${deployment}ownKey: true, target: {kind: systemd, container: {${container}}}, engine: {kind: llama.cpp, slots: 1, context: 256, threads: 1, startTimeout: 60s}`,
      model,
    );
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
      name: 'an image that is not there and is not to be fetched',
      fleet: () => fleet({ container: 'image: "berth-test/none:1", pull: never' }),
      code: 1,
      object: 'The image berth-test/none:1 for a',
      cause: 'is not there and cannot be fetched: pull is "never"',
      cure: /Check target\.container\.image of a, .*podman pull berth-test\/none:1/,
    },
    {
      name: 'an image whose place does not answer',
      fleet: () => fleet({ container: 'image: "127.0.0.1:1/none:1"' }),
      code: 1,
      object: 'The image 127.0.0.1:1/none:1 for a',
      cause: /cannot be fetched: .*refused/,
      cure: 'podman pull 127.0.0.1:1/none:1',
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
      name: 'a container of that name that somebody else made',
      arrange: () => {
        inBox('podman', 'create', '--name', unit, 'ghcr.io/ggml-org/llama.cpp:server', 'true');
        return () => inBox('podman', 'rm', unit);
      },
      fleet: () => fleet(),
      code: 1,
      object: `the name ${unit}, which a needs`,
      cause: 'A container that berth did not make',
      cure: `podman rename ${unit}`,
    },
    {
      name: 'a full disk where units have their secrets',
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
      object: `/etc/berth/units/${unit}/`,
      cause: 'no space is left on that disk',
      cure: 'Free some space there',
    },
    {
      name: 'a full disk where podman keeps its containers',
      arrange: () => {
        box.enter('sh', '-c', `cat /dev/zero >'${graph}/full'`);
        return () => inBox('rm', `${graph}/full`);
      },
      fleet: () => fleet(),
      code: 1,
      object: 'a ended while starting',
      cause: 'no space left on device',
      cure: 'podman system df',
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
          'find /etc/systemd/system /etc/containers/systemd /run/systemd/generator /etc/berth 2>/dev/null | grep berth | sort; systemctl list-units --all --plain --no-legend "berth-*"; podman ps --all --format "{{.Names}}"; podman volume ls --quiet; true',
        ),
    };
  }
});
