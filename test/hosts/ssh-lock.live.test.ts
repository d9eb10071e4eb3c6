import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { fakeEngine, makePlace, until } from '../support/berth.ts';
import type { Place, Running } from '../support/berth.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { addSshUser, sshUser } from './ssh-user.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const box = resolve(import.meta.dirname, 'ssh-box.sh');
const bin = resolve(import.meta.dirname, '../../bin/berth.js');
const lacks = missingForSsh();
if (lacks !== '') console.info(`locks by ssh: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('a machine by ssh whose users have homes of their own', () => {
  let folder: string;

  function enter(...argv: string[]): string {
    return execFileSync(box, ['enter', folder, ...argv], { encoding: 'utf8', stdio: 'pipe' });
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'berth-ssh-lock-'));
    chmodSync(folder, 0o755);
    execFileSync(box, ['start', folder], { stdio: 'pipe' });
    chmodSync(join(folder, 'home'), 0o700);
    addSshUser(folder);
    // The host "dead" of the box is this second door, behind which the other user has another home.
    const home = join(folder, 'other-home');
    mkdirSync(home, { mode: 0o700 });
    enter('chown', sshUser.id, home);
    const config = readFileSync(join(folder, 'sshd_config'), 'utf8');
    writeFileSync(join(folder, 'door_config'), config.replace(/HOME=\S+/, `HOME=${home}`));
    enter('/usr/sbin/sshd', '-f', join(folder, 'door_config'), '-p', '9', '-o', 'PidFile=none');
  });
  afterAll(() => {
    if (!folder) return;
    execFileSync(box, ['stop', folder], { stdio: 'pipe' });
    rmSync(folder, { recursive: true, force: true });
  });

  /** Somebody with a fleet of one engine there, which is ready once `gate` is there. */
  function somebody(fleet: string, ssh: string): { place: Place; gate: string } {
    const place = makePlace();
    onTestFinished(() => place.close());
    place.env['PATH'] = `${folder}/bin:${place.env['PATH']}`;
    const gate = join(folder, `gate-${fleet}`);
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--gate', gate]);
    place.write(`version: 1
fleet: ${fleet}
id: ${fleet}1
hosts: {far: {ssh: ${ssh}}}
deployments: {${fleet}: {engine: {kind: command, command: ${command}, startTimeout: 120s, stopGrace: 1s}}}
gateway: {listen: ["127.0.0.1:0"]}
console: {listen: "127.0.0.1:0"}
`);
    return { place, gate };
  }

  /** An apply on the machine itself, by somebody with a third home. */
  function applyThere(fleet = 'version: 1\nfleet: there\n'): () => string {
    const out = join(folder, 'there.out');
    const file = join(folder, 'there.yaml');
    writeFileSync(file, fleet);
    rmSync(out, { force: true });
    const env = `HOME=${folder}/third-home BERTH_FROM_SOURCE=${process.env['BERTH_FROM_SOURCE'] ?? ''}`;
    const words = `${process.execPath} ${bin} apply -f ${file}`;
    enter('sh', '-c', `cd ${folder}; ${env} ${words} >${out} 2>&1 & echo`);
    return () => (existsSync(out) ? readFileSync(out, 'utf8') : '');
  }

  async function waits(running: Running, fleet: string): Promise<void> {
    const told = `Waiting for berth apply of fleet ${fleet}`;
    await until(() => running.output().stderr.includes(told), `somebody to wait for ${fleet}`);
  }

  function lockFiles(): string[] {
    return enter('ls', '/run/lock')
      .split('\n')
      .filter((name) => name.startsWith('berth-'));
  }

  test('two users, and one who works there, change it one after the other, and nobody waits for one who is dead', async () => {
    const root = somebody('first', 'box');
    const other = somebody('second', `${sshUser.name}@dead`);
    const first = root.place.spawn('apply');
    await until(() => first.output().stderr.includes('Starting first'), 'the first apply');
    const second = other.place.spawn('apply');
    await waits(second, 'first');
    const there = applyThere();
    await until(() => there().includes('Waiting for berth apply of fleet first'), 'the apply there');
    expect(second.output().stderr).not.toContain('Starting second');

    first.child.kill('SIGKILL');
    await first.exited;
    await until(() => second.output().stderr.includes('Starting second'), 'the second to go on');
    const again = root.place.spawn('apply');
    await waits(again, 'second');
    for (const { gate } of [root, other]) writeFileSync(gate, '');
    expect(await second.exited, second.output().stderr).toBe(0);
    expect(await again.exited, again.output().stderr).toBe(0);
    await until(() => there().includes('Nothing had to be done.'), 'the apply there to end');
    for (const { place } of [root, other]) expect((await place.berth('down')).code).toBe(0);
    await until(() => lockFiles().length === 0, 'the locks to be given back');
    expect(readdirSync(join(folder, 'other-home'))).toEqual(['.local']);
  });

  test('a berth that works there and stands still is waited for no longer than a minute, by applies and by ends, and is named', async () => {
    const root = somebody('first', 'box');
    const other = somebody('second', `${sshUser.name}@dead`);
    writeFileSync(root.gate, '');
    expect((await root.place.berth('apply')).code).toBe(0);
    const gate = join(folder, 'gate-there');
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--gate', gate]);
    const engine = `{kind: command, command: ${command}, startTimeout: 220s, stopGrace: 1s}`;
    const there = applyThere(`version: 1\nfleet: there\ndeployments: {slow: {engine: ${engine}}}\n`);
    await until(() => there().includes('Starting slow'), 'the apply there');

    const ends = root.place.spawn('down');
    const applies = other.place.spawn('apply');
    for (const one of [ends, applies]) await waits(one, 'there');
    const pid = /fleet there \(process (\d+)\)/.exec(ends.output().stderr)?.[1] ?? '';
    enter('kill', '-STOP', pid);
    const stopped = Date.now();
    expect([await ends.exited, await applies.exited]).toEqual([1, 1]);
    expect(Date.now() - stopped).toBeLessThan(100_000);
    expect(ends.output().stderr).toMatch(
      new RegExp(
        `ssh://box is held by process ${pid} \\(.+\\) of user root, which does not answer: no sign of it for \\d+ s\\.`,
      ),
    );
    // Who may not see whose it is learns as much as shows.
    expect(applies.output().stderr).toContain('is held by a berth that runs there, which does not answer');

    enter('kill', '-CONT', pid);
    writeFileSync(gate, '');
    await until(() => there().includes('Done: start slow.'), 'the apply there to end');
    expect((await root.place.berth('down')).code).toBe(0);
    const file = join(folder, 'there.yaml');
    enter(
      'env',
      `HOME=${folder}/third-home`,
      'BERTH_FROM_SOURCE=1',
      process.execPath,
      bin,
      'down',
      '-f',
      file,
    );
  });
});
