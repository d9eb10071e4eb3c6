import { chmodSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FleetStatus, ReplicaStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, until } from '../support/berth.ts';
import { onPath } from './container-box.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 });

const root = resolve(import.meta.dirname, '../..');
const lacks = missingForSystemd();
if (lacks !== '') console.info(`units of a user: not run, ${lacks} is missing`);
const noSudo = onPath('sudo') ? '' : ' (not run: no sudo)';

/** Somebody who is not root, with a manager of his own that runs without a login. */
const user = { name: 'op', id: '2000', home: '/home/op' };

let box: SystemdBox;

function asRoot(script: string): string {
  const { code, stdout, stderr } = box.enter('sh', '-c', script);
  if (code !== 0) throw new Error(`${script}: ${stderr}`);
  return stdout;
}

/** Berth as that user, with what a login that sets no more than this gives it. */
function berth(...args: string[]): BoxRan {
  const own = [
    'env',
    '-i',
    `HOME=${user.home}`,
    `USER=${user.name}`,
    'PATH=/usr/bin:/bin',
    `BERTH_FROM_SOURCE=${process.env['BERTH_FROM_SOURCE'] ?? ''}`,
  ];
  const command = [...own, 'ENGINE_KEY=sk-of-op', process.execPath, join(root, 'bin/berth.js'), ...args];
  return box.enter('setpriv', '--reuid', user.id, '--regid', user.id, '--init-groups', ...inHome, ...command);
}

const inHome = ['sh', '-c', `cd ${user.home} && exec "$@"`, 'sh'];

function fleet(host: string, more = '', target = ''): void {
  const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--keyed', '{key-file}']);
  const engine = `{kind: command, command: ${command}, startTimeout: 60s${more}}`;
  const text = `version: 1
fleet: lab
id: user1
hosts: {local: {${host}ports: 18400-18420}}
deployments:
  a: {ownKey: true, target: {kind: systemd${target}}, engine: ${engine}}
`;
  writeFileSync(join(box.folder, 'berth.yaml'), text);
  chmodSync(join(box.folder, 'berth.yaml'), 0o644);
  asRoot(`cp ${box.folder}/berth.yaml ${user.home}/ && chown ${user.id}:${user.id} ${user.home}/berth.yaml`);
}

function replica(): ReplicaStatus {
  const status = JSON.parse(berth('status', '--json').stdout) as FleetStatus;
  const [one] = status.deployments.flatMap(({ replicas }) => replicas);
  if (!one) throw new Error('There is no replica.');
  return one;
}

function expectFine(ran: BoxRan): BoxRan {
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran;
}

/** What the machine has of units, their files and caches, listeners and programs. */
function inventory(): string {
  const folders = `/etc/systemd/system /etc/berth /var/cache ${user.home}/.config ${user.home}/.cache`;
  const programs = 'ps -eo args --no-headers | grep fake-engine | grep -v grep';
  return asRoot(`find ${folders} -type f 2>/dev/null | sort; grep ' 0A ' /proc/net/tcp; ${programs}; true`);
}

/** From nothing to nothing, with one change of the engine between. */
function expectLife(host: string, object: string): void {
  const before = inventory();
  expectFine(berth('apply', '--yes'));
  const first = replica();
  expect([first.state, first.object]).toEqual(['ready', object]);
  expect(berth('logs', 'a').stdout).toContain('fake engine on port');
  const plan = JSON.parse(expectFine(berth('plan', '--json')).stdout) as Plan;
  expect(plan.actions.map((action) => action.do)).toEqual(['keep']);
  expect(plan.findings.filter(({ rule }) => /drift|rendered/.test(rule))).toEqual([]);
  fleet(host, ', env: {COLOUR: blue}');
  expectFine(berth('apply', '--yes'));
  const second = replica();
  expect(second.state).toBe('ready');
  expect(asRoot(`tr '\\0' '\\n' </proc/${second.pid}/environ`)).toContain('COLOUR=blue');
  fleet(host);
  expectFine(berth('rollback', '--yes'));
  expect(replica().state).toBe('ready');
  expectFine(berth('down'));
  expect(inventory()).toBe(before);
}

describe.skipIf(lacks !== '')('units of systemd that somebody makes who is not root', () => {
  beforeAll(() => {
    box = startSystemdBox();
    // The fleet file is handed over in it.
    chmodSync(box.folder, 0o755);
    const { name, id, home } = user;
    asRoot(
      [
        `echo '${name}:x:${id}:${id}::${home}:/bin/sh' >>/etc/passwd`,
        `echo '${name}:x:${id}:' >>/etc/group`,
        `echo '${name}:*:19000:0:99999:7:::' >>/etc/shadow`,
        `mkdir -p ${home} && chown ${id}:${id} ${home}`,
        // Only on a disk users have journals of their own.
        'mkdir -p /var/log/journal && journalctl --flush',
        `loginctl enable-linger ${name}`,
        `systemctl start user@${id}.service`,
      ].join(' && '),
    );
  });
  afterAll(() => box?.stop());

  beforeEach(() => fleet(''));

  test('live under the manager of the user, are seen, told of, changed and taken back, and go without a trace', () => {
    expect.hasAssertions();
    expectLife('', 'unit berth-lab-a.service');
  });

  test('come back when they are killed, belong to the user, and keep their key to themselves', async () => {
    expectFine(berth('apply', '--yes'));
    const { pid } = replica();
    expect(asRoot(`stat -c %u /proc/${pid}`).trim()).toBe(user.id);
    expect(asRoot(`cat /proc/${pid}/cgroup`)).toContain(`user@${user.id}.service`);
    const secrets = asRoot(`find ${user.home}/.config/berth/units -type f -exec stat -c '%a %u' {} +`);
    expect(new Set(secrets.trim().split('\n'))).toEqual(new Set([`600 ${user.id}`]));
    asRoot(`kill -9 ${pid}`);
    await until(() => replica().state === 'ready' && replica().pid !== pid, 'the restart');
    expectFine(berth('down'));
  });

  test('that cannot be, since the manager of the user does not run, are told with what starts it', () => {
    asRoot(`systemctl stop user@${user.id}.service`);
    try {
      const planned = berth('plan', '--json');
      const { findings } = JSON.parse(planned.stdout) as Plan;
      const found = findings.find(({ rule }) => rule === 'systemd-unreachable');
      expect(found?.severity).toBe('critical');
      expect(found?.cure).toContain('loginctl enable-linger');
      expect(berth('apply', '--yes').code).not.toBe(0);
    } finally {
      asRoot(`systemctl start user@${user.id}.service`);
    }
  });

  test('that are rendered and started by systemctl alone are what berth would apply, and go with berth', async () => {
    const before = inventory();
    const args = ['--format', 'systemd', '--user-home', user.home, '--out', 'rendered', '--json'];
    const { needs } = JSON.parse(expectFine(berth('render', ...args)).stdout) as { needs: string[] };
    // The commands that it prints, as that user.
    const run = [
      'env',
      '-i',
      `HOME=${user.home}`,
      `XDG_RUNTIME_DIR=/run/user/${user.id}`,
      'PATH=/usr/bin:/bin',
    ];
    for (const need of needs) {
      const command = need.replace(/^.*?: /, '');
      const own = ['setpriv', '--reuid', user.id, '--regid', user.id, '--init-groups', ...run];
      expectFine(box.enter(...own, 'sh', '-c', `cd ${user.home}/rendered && ${command} 2>&1`));
    }
    const plan = JSON.parse(expectFine(berth('plan', '--json')).stdout) as Plan;
    expect([plan.actions.map((action) => action.do), plan.findings]).toEqual([['keep'], []]);
    await until(() => replica().state === 'ready', 'the unit to be seen ready');
    expectFine(berth('down'));
    asRoot(`rm -r ${user.home}/rendered`);
    expect(inventory()).toBe(before);
  });

  describe('with "become: sudo"', () => {
    const host = 'local: true, become: sudo, ';

    test.skipIf(noSudo !== '')(`are the system's, made through sudo, and go without a trace${noSudo}`, () => {
      asRoot(`echo '${user.name} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers && chmod 440 /etc/sudoers`);
      fleet(host);
      expectLife(host, 'unit berth-lab-a.service');
      // As somebody whose sockets berth cannot see, and whom others are, too.
      fleet(host, '', ', user: daemon');
      expectFine(berth('apply', '--yes'));
      expect(replica().state).toBe('ready');
      expectFine(berth('down'));
    });

    test.skipIf(noSudo !== '')(
      `are told of and not half made where sudo asks for a password${noSudo}`,
      () => {
        asRoot(`echo '${user.name} ALL=(ALL) ALL' >/etc/sudoers && chmod 440 /etc/sudoers`);
        fleet(host);
        const before = inventory();
        const applied = berth('apply', '--yes');
        expect(applied.code).not.toBe(0);
        expect(applied.stdout + applied.stderr).toContain('"sudo -n" was refused');
        expect(applied.stdout + applied.stderr).toContain('without a password');
        expect(inventory()).toBe(before);
      },
    );
  });
});
