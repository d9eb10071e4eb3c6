import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fakeEngine, freePorts, makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { tryWrong } from '../support/wrong-input.ts';
import type { WrongInput } from '../support/wrong-input.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { sshUser } from './ssh-user.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const lacks = missingForSystemd() || missingForSsh();
if (lacks !== '') console.info(`wrong inputs with units by ssh: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('units of systemd by ssh', () => {
  let machine: SystemdBox;
  let keys: string;
  let place: Place;
  let port: number;

  function inside(line: string): string {
    const ran = machine.enter('sh', '-c', line);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout;
  }

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'berth-ssh-units-'));
    chmodSync(keys, 0o755);
    machine = startSystemdBox([keys]);
    chmodSync(machine.folder, 0o755);
    execFileSync(script, ['start', keys], { env: { ...process.env, BOX_PID: machine.pid }, stdio: 'pipe' });
    const { name, id, home } = sshUser;
    inside(
      [
        `echo '${name}:x:${id}:${id}::${home}:/bin/sh' >>/etc/passwd`,
        `echo '${name}:x:${id}:' >>/etc/group`,
        `echo '${name}:*:19000:0:99999:7:::' >>/etc/shadow`,
        'mkdir -p /srv/models',
        'echo GGUF >/srv/models/m.gguf',
        '(umask 077; echo GGUF >/srv/models/private.gguf)',
      ].join(' && '),
    );
    place = makePlace();
    place.env['PATH'] = `${keys}/bin:${place.env['PATH']}`;
    [port = 0] = await freePorts(1);
  });
  afterAll(async () => {
    await place?.close();
    machine?.stop();
    if (!keys) return;
    execFileSync(script, ['stop', keys], { stdio: 'pipe' });
    rmSync(keys, { recursive: true, force: true });
  });

  function fleet({
    host = 'box',
    become = '',
    program = process.execPath,
    model = '/srv/models/m.gguf',
    deployment = '',
    target = '',
  } = {}): string {
    const command = JSON.stringify([program, fakeEngine, '{port}']);
    return [
      'version: 1',
      'fleet: lab',
      'id: wrong6',
      `hosts: {far: {ssh: "${host}", ${become}ports: 18400-18440}}`,
      `models: {toy: {source: ${model}}}`,
      'deployments:',
      `  a: {model: toy, ${deployment}target: {kind: systemd${target}}, engine: {kind: command, command: ${command}, startTimeout: 60s, env: {COLOUR: blue}}}`,
    ].join('\n');
  }

  const wrongs: readonly WrongInput[] = [
    {
      name: 'a port that another program holds there',
      arrange: async () => {
        inside(`systemd-run --quiet --unit=holder '${process.execPath}' '${fakeEngine}' ${port}`);
        await until(() => inside('ss -ltnH').includes(`:${port} `), 'the holder of the port');
        return () => inside('systemctl stop holder');
      },
      fleet: () => fleet({ deployment: `port: ${port}, ` }),
      code: 1,
      object: () => `Port ${port} on 127.0.0.1`,
      cause: 'is held by',
      cure: () => `name another port than ${port}`,
    },
    {
      name: 'a model that is not there',
      fleet: () => fleet({ model: '/srv/models/none.gguf' }),
      code: 1,
      object: '/srv/models/none.gguf',
      cause: 'does not exist on far',
      cure: 'Check',
    },
    {
      name: "a model that the unit's own user may not read",
      fleet: () => fleet({ model: '/srv/models/private.gguf' }),
      code: 1,
      object: 'private.gguf',
      cause: 'The unit runs as a user of its own, who may not read',
      cure: 'chmod o+r',
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
      name: 'a unit of that name that somebody else made',
      arrange: () => {
        inside(
          'printf "[Service]\\nExecStart=/bin/sleep 9\\n" >/etc/systemd/system/mine.service; systemctl daemon-reload',
        );
        return () => inside('rm /etc/systemd/system/mine.service; systemctl daemon-reload');
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
        inside(
          'mkdir -p /etc/berth && mount -t tmpfs -o size=4k tmpfs /etc/berth && head -c 4096 /dev/zero >/etc/berth/full',
        );
        return () => inside('umount /etc/berth && rmdir /etc/berth');
      },
      fleet: () => fleet(),
      code: 1,
      object: '/etc/berth/units/berth-lab-a/environment',
      cause: 'no space is left on that disk',
      cure: 'Free some space there',
    },
    {
      name: 'a full disk where units lie',
      arrange: () => {
        const units = '/etc/systemd/system';
        inside(
          `mkdir -p /srv/kept && cp -a ${units}/. /srv/kept/ && mount -t tmpfs -o size=64k tmpfs ${units} && cp -a /srv/kept/. ${units}/ && { cat /dev/zero >${units}/full 2>/dev/null || true; }`,
        );
        return () => inside(`umount ${units} && rm -r /srv/kept && systemctl daemon-reload`);
      },
      fleet: () => fleet(),
      code: 1,
      object: '/etc/systemd/system/berth-lab-a.service',
      cause: 'no space is left on that disk',
      cure: 'Free some space there',
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
      name: 'a user who has no manager of systemd there',
      arrange: () => userMayWriteHome(),
      fleet: () => fleet({ host: `${sshUser.name}@box` }),
      code: 1,
      object: 'a: The user manager of systemd',
      cause: 'cannot be reached: ',
      cure: 'set "become: sudo" on the host',
    },
    {
      name: 'a user who may not use sudo there',
      arrange: () => userMayWriteHome(),
      fleet: () => fleet({ host: `${sshUser.name}@box`, become: 'become: sudo, ' }),
      code: 1,
      object: '"sudo -n" was refused',
      cause: /sudo: |not found/,
      cure: 'Allow this user sudo without a password',
    },
  ];

  function userMayWriteHome(): () => void {
    inside(`chown -R ${sshUser.id} '${keys}/home'`);
    return () => void inside(`chown -R root '${keys}/home'`);
  }

  test.each(wrongs)('$name is told with its cause and its cure, and nothing of it is left', async (wrong) => {
    const { before, after } = await tryWrong({ write: place.write, berth: place.berth, traces }, wrong);
    expect(after).toEqual(before);
  });

  function traces(): string {
    return inside(
      `find /etc/systemd/system /etc/berth /var/cache '${keys}/home' 2>/dev/null | grep -v 'lock$' | grep berth | sort; systemctl list-units --all --plain --no-legend "berth-*"; true`,
    );
  }
});
