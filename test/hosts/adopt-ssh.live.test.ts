import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { FleetStatus } from '../../src/domain/fleet-status.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { programArgv } from '../../src/io/program.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';
import { findLlamaServer } from './llama-server.ts';
import { missingForSsh } from './missing-for-ssh.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const script = resolve(import.meta.dirname, 'ssh-box.sh');
const llama = findLlamaServer();
const lacks = missingForSystemd() || missingForSsh() || (llama === null ? 'a llama-server' : '');
if (lacks !== '') console.info(`adopting by ssh: not run, ${lacks} is missing`);

describe.skipIf(lacks !== '')('a machine by ssh on which servers run that nobody has marked', () => {
  let machine: SystemdBox;
  let keys: string;
  let place: Place;

  beforeAll(async () => {
    keys = mkdtempSync(join(tmpdir(), 'berth-adopt-ssh-'));
    machine = startSystemdBox([keys, dirname(dirname(llama ?? ''))]);
    execFileSync(script, ['start', keys], { env: { ...process.env, BOX_PID: machine.pid }, stdio: 'pipe' });
    place = makePlace();
    place.env['PATH'] = `${keys}/bin:${place.env['PATH']}`;
    const [kimi, hand, own] = ['kimi', 'hand', 'own'].map((name) => join(machine.folder, `${name}.gguf`));
    for (const [seed, path] of [kimi, hand, own].entries())
      await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: seed + 1, path: path ?? '' });

    const flags = `-c 512 -np 2 -t 1 --cache-ram 0`;
    const unit = `[Service]\nExecStart=${llama} -m ${kimi} ${flags} --port 8080\n`;
    writeFileSync(join(machine.folder, 'chat.service'), unit);
    there('cp', join(machine.folder, 'chat.service'), '/etc/systemd/system/');
    there('systemctl', 'daemon-reload');
    there('systemctl', 'start', 'chat.service');
    const line = programArgv('embedded', ['--model', own ?? '', '--port', '8082', '--context', '256']);
    for (const words of [`${llama} -m ${hand} ${flags} --port 8081`, line.join(' ')])
      there('sh', '-c', `setsid ${words} >/dev/null 2>&1 </dev/null &`);
    for (const port of [8080, 8081, 8082]) {
      const ask = ['curl', '--fail', '--silent', `http://127.0.0.1:${port}/health`];
      await until(() => Promise.resolve(machine.enter(...ask).code === 0), `an answer of ${port}`, 60_000);
    }
  });

  afterAll(async () => {
    await place?.close();
    machine?.stop();
    if (!keys) return;
    execFileSync(script, ['stop', keys], { stdio: 'pipe' });
    rmSync(keys, { recursive: true, force: true });
  });

  /** What it says; throws where it fails. */
  function there(...argv: string[]): string {
    const { code, stdout, stderr } = machine.enter(...argv);
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${stdout}${stderr}`);
    return stdout;
  }

  async function berth(...args: string[]): Promise<string> {
    const ran = await place.berth(...args);
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    return ran.stdout;
  }

  function pids(): Record<string, number> {
    const hand = there('pgrep', '--full', '--oldest', '--', '--port 8081').trim();
    const unit = there('systemctl', 'show', '--property=MainPID', '--value', 'chat.service').trim();
    return { kimi: Number(unit), hand: Number(hand) };
  }

  async function keeps(): Promise<void> {
    const plan = JSON.parse(await berth('plan', '--json')) as Plan;
    expect([
      plan.actions.map((one) => `${one.do} ${one.deployment} ${one.host}`).toSorted(),
      plan.findings,
    ]).toEqual([['keep hand far', 'keep kimi far'], []]);
  }

  test('they are adopted where they run, are the same processes, are served from here, and are given back', async () => {
    const text =
      'version: 1\nfleet: lab\nhosts: {far: {ssh: box, ports: 18700-18709}}\ngateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\n';
    place.write(text);
    const before = pids();
    const adopted = JSON.parse(await berth('adopt', '--host', 'far', '--all', '--json')) as {
      adopted: { name: string; object: string; pid: number; saved: string | null }[];
      refused: { reason: string }[];
    };
    expect(adopted).toMatchObject({ changes: 0, reached: [] });
    expect(adopted.refused.map((one) => one.reason)).toEqual([
      "it is berth's own engine, and berth installs nothing on another machine",
    ]);
    const told = adopted.adopted.toSorted((a, b) => a.name.localeCompare(b.name));
    expect(told).toMatchObject([
      { name: 'hand', object: `process ${before['hand']}`, pid: before['hand'] },
      { name: 'kimi', object: 'unit chat.service', pid: before['kimi'] },
    ]);
    expect(readFileSync(told[1]?.saved ?? '', 'utf8')).toContain('ExecStart=');
    await keeps();
    expect(pids()).toEqual(before);
    const { deployments } = JSON.parse(await berth('status', '--json')) as FleetStatus;
    const seen = deployments.map(({ name, replicas: [one] }) =>
      [name, one?.state, one?.pid, one?.slots].join(' '),
    );
    expect(seen.toSorted()).toEqual([`hand ready ${before['hand']} 2`, `kimi ready ${before['kimi']} 2`]);

    const said = await berth('disown', 'hand', 'kimi');
    expect(said).toContain('kimi (unit chat.service)');
    expect(pids()).toEqual(before);
    expect(there('ls', '/etc/systemd/system')).not.toContain('chat.service.d');
    expect((await place.berth('disown', 'kimi')).code).toBe(2);

    place.write(text);
    await berth('adopt', '--host', 'far', '--all');
    await keeps();
    expect(pids()).toEqual(before);
    await berth('down');
    expect(machine.enter('systemctl', 'is-active', 'chat.service').code).not.toBe(0);
    expect(machine.enter('pgrep', '--full', '--', '--port 8081').stdout).toBe('');
  });
});
