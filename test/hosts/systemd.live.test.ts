import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localFiles } from '../../src/io/files.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { fakeEngine, until } from '../support/berth.ts';
import { findLlamaServer } from './llama-server.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const root = resolve(import.meta.dirname, '../..');

const llama = findLlamaServer();
const lacks = missingForSystemd();
if (lacks !== '') console.info(`systemd: not run, ${lacks} is missing`);

let box: SystemdBox;
let folder: string;

function enter(...argv: string[]): BoxRan {
  return box.enter(...argv);
}

function berth(...args: string[]): BoxRan {
  return box.berth(args);
}

interface Status {
  deployments: {
    replicas: { state: string; object: string | null; pid: number; restarts: number | null; url: string }[];
  }[];
}

function replica(): Status['deployments'][0]['replicas'][0] {
  const found = JSON.parse(berth('status', '--json').stdout) as Status;
  const [one] = found.deployments.flatMap((deployment) => deployment.replicas);
  if (!one) throw new Error('There is no replica.');
  return one;
}

function fleet(more: string): void {
  writeFileSync(
    join(folder, 'berth.yaml'),
    `version: 1
fleet: lab
id: box1
deployments:
  a:
    target: {kind: systemd}
    engine: {kind: command, command: ["${process.execPath}", "${fakeEngine}", "{port}"], startTimeout: 60s${more}}
`,
  );
}

/** What a host has of units, their files, processes, listeners and cgroups. */
function inventory(): string {
  const script = [
    'find /etc/systemd/system /etc/berth /var/cache /run/systemd/system 2>/dev/null | sort',
    'systemctl list-units --all --plain --no-legend --type=service | cut -d" " -f1 | grep -v -e systemd- -e "^user" | sort',
    'cat /proc/net/tcp | grep " 0A "',
    'ls /sys/fs/cgroup/systemd/system.slice | grep berth',
    'ps -eo args --no-headers | grep -e fake-engine -e berth | grep -v grep',
  ].join('; ');
  return enter('sh', '-c', `${script}; true`).stdout;
}

describe.skipIf(lacks !== '')('target systemd, with systemd as the first process of a machine', () => {
  beforeAll(() => {
    box = startSystemdBox(llama ? [dirname(dirname(llama))] : []);
    folder = box.folder;
    fleet('');
  }, 120_000);

  afterAll(() => box.stop(), 60_000);

  test('an engine lives as a unit: applied, seen, changed, killed and back, and gone without a trace', async () => {
    const before = inventory();
    const applied = berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    const first = replica();
    expect([first.state, first.object]).toEqual(['ready', 'unit berth-lab-a.service']);
    expect(berth('logs', 'a').stdout).toContain('fake engine on port');

    const again = JSON.parse(berth('plan', '--json').stdout) as {
      actions: { do: string }[];
      findings: { rule: string }[];
    };
    expect(again.actions.map((action) => action.do)).toEqual(['keep']);
    expect(again.findings.map(({ rule }) => rule)).not.toContain('drift');

    const security = enter('systemd-analyze', 'security', '--no-pager', 'berth-lab-a.service').stdout;
    const score = Number(/exposure level for \S+: ([\d.]+)/.exec(security)?.[1]);
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThanOrEqual(3);

    enter('kill', '-9', String(first.pid));
    await until(() => replica().state === 'ready' && replica().pid !== first.pid, 'the restart');
    expect(replica().restarts).toBe(1);

    fleet(', env: {COLOUR: "blue $HOME %h", FOLDER: "{cache}"}');
    const changed = berth('apply');
    expect(changed.code, changed.stdout + changed.stderr).toBe(0);
    const second = replica();
    expect(second.state).toBe('ready');
    expect(enter('cat', `/proc/${second.pid}/environ`).stdout).toContain('COLOUR=blue $HOME %h\0');

    expect(enter('cat', `/proc/${second.pid}/environ`).stdout).toContain(
      'FOLDER=/var/cache/berth/lab-box1/a-0/cache\0',
    );

    const down = berth('down');
    expect(down.code, down.stderr).toBe(0);
    expect(inventory()).toBe(before);
  }, 240_000);

  test('a unit that is taken away while it still starts leaves nothing, caches included', async () => {
    const before = inventory();
    fleet(', env: {FOLDER: "{cache}"}');
    expect(berth('apply').code).toBe(0);
    expect(enter('systemctl', 'is-active', 'berth-lab-a').stdout.trim()).toBe('active');
    // Its look at the engine's health goes on, since the engine is held.
    const { pid } = replica();
    enter('systemctl', 'restart', '--no-block', 'berth-lab-a');
    await until(() => ![0, pid].includes(replica().pid), 'the start');
    enter('systemctl', 'kill', '--kill-whom=main', '--signal=STOP', 'berth-lab-a');
    const down = berth('down');
    expect(down.code, down.stdout + down.stderr).toBe(0);
    expect(inventory()).toBe(before);
  }, 120_000);

  test('an engine that is killed for its memory is told apart from one that crashes, and leaves no unit', () => {
    fleet('');
    const text = enter('cat', join(folder, 'berth.yaml')).stdout;
    writeFileSync(
      join(folder, 'berth.yaml'),
      text.replace(
        '{kind: systemd}',
        '{kind: systemd, restart: "no"}\n    resources: {limits: {memory: 16Mi}}',
      ),
    );
    const ran = berth('apply');
    expect(ran.code).toBe(1);
    expect(ran.stdout + ran.stderr).toContain('killed for the memory that it took');
    expect(enter('ls', '/etc/systemd/system').stdout).not.toContain('berth');
  }, 120_000);

  test.skipIf(llama === null)(
    'the sandbox of llama-server is scored as a safe one, and an apply that is killed is gone on with',
    async () => {
      const model = join(folder, 'models/random.gguf');
      await makeModel(localFiles, { size: '15M', type: 'q8_0', seed: 1, path: model });
      chmodSync(model, 0o644);
      const cache = dirname(dirname(llama ?? ''));
      function write(context: number): void {
        writeFileSync(
          join(folder, 'berth.yaml'),
          `version: 1
fleet: real
id: box2
models: {m: {source: ${model}}}
defaults: {model: m}
deployments:
  l:
    target: {kind: systemd, unit: {Service: {BindReadOnlyPaths: ${cache}}}}
    engine: {kind: llama.cpp, binary: ${llama}, slots: 2, context: ${context}, threads: 1}
`,
        );
      }
      write(512);
      const applied = berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const security = enter('systemd-analyze', 'security', '--no-pager', 'berth-real-l.service').stdout;
      expect(Number(/exposure level for \S+: ([\d.]+)/.exec(security)?.[1])).toBeLessThanOrEqual(3);

      write(256);
      const bin = join(root, 'bin/berth.js');
      const killed = `cd '${folder}'; '${process.execPath}' '${bin}' apply & while [ ! -e /etc/systemd/system/berth-real-l-b.service ] && kill -0 $!; do :; done; kill -9 $!`;
      enter('sh', '-c', killed);
      const again = berth('apply');
      expect(again.code, again.stdout + again.stderr).toBe(0);
      const plan = JSON.parse(berth('plan', '--json').stdout) as { actions: { do: string }[] };
      expect(plan.actions.map((action) => action.do)).toEqual(['keep']);
      expect(berth('down').code).toBe(0);
      expect(enter('ls', '/etc/systemd/system').stdout).not.toContain('berth');
    },
    240_000,
  );

  test('a unit of somebody else with the wanted name is told of and left alone', () => {
    enter(
      'sh',
      '-c',
      'printf "[Service]\\nExecStart=/bin/sleep 1d\\n" >/etc/systemd/system/mine.service; systemctl daemon-reload',
    );
    fleet('');
    const text = enter('cat', join(folder, 'berth.yaml')).stdout;
    writeFileSync(join(folder, 'berth.yaml'), text.replace('{kind: systemd}', '{kind: systemd, unit: mine}'));
    const refused = berth('apply');
    expect(refused.code).not.toBe(0);
    expect(refused.stdout + refused.stderr).toContain('A unit mine is there already');
    expect(enter('cat', '/etc/systemd/system/mine.service').stdout).toContain('sleep 1d');
    enter('sh', '-c', 'rm /etc/systemd/system/mine.service; systemctl daemon-reload');
  }, 120_000);
});
