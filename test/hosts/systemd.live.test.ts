import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
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

function fleet(more: string, head = '', beside = 'hungAfter: 30s'): void {
  writeFileSync(
    join(folder, 'berth.yaml'),
    `version: 1
fleet: lab
id: box1
${head}deployments:
  a:
    ${beside}
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

  test('a unit whose engine hangs is restarted by up, which status and journal tell', async () => {
    const head = 'gateway: {listen: ["127.0.0.1:0"]}\nconsole: {listen: "127.0.0.1:0"}\n';
    fleet('', head, 'hungAfter: 4s');
    onTestFinished(() => void berth('down'));
    const up = berth('up', '--detach');
    expect(up.code, up.stdout + up.stderr).toBe(0);
    const first = replica();
    expect([first.state, first.object]).toEqual(['ready', 'unit berth-lab-a.service']);
    enter('kill', '-STOP', String(first.pid));
    await until(() => {
      const now = replica();
      return now.state === 'ready' && now.pid !== first.pid;
    }, 'the unit to be restarted');
    expect(replica().object).toBe('unit berth-lab-a.service');
    // On a busy machine it may have been slow once more.
    expect(replica().restarts).toBeGreaterThanOrEqual(1);
    const told = JSON.parse(berth('journal', 'a', '--json').stdout) as {
      entries: { command: string; do: string; reasons: string[] }[];
    };
    expect(told.entries.find((one) => one.do === 'restart')).toMatchObject({
      command: 'up',
      reasons: ['it ran and did not answer'],
    });
    expect(berth('down').code).toBe(0);
  });

  test('a unit is restarted as often as somebody asks for it', () => {
    fleet('');
    onTestFinished(() => void berth('down'));
    expect(berth('apply').code).toBe(0);
    // systemd by itself would refuse the sixth start within ten minutes.
    const before = replica().pid;
    for (let time = 0; time < 6; time += 1) {
      const again = berth('restart', 'a');
      expect(again.code, again.stdout + again.stderr).toBe(0);
    }
    expect(replica().state).toBe('ready');
    expect(replica().pid).not.toBe(before);
  });

  test('what a unit was before is found by whoever else may change it, and goes with it', () => {
    onTestFinished(() => void berth('down'));
    for (const n of [1, 2]) {
      fleet(`, env: {N: "${n}"}`);
      const applied = berth('apply');
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    }
    const other = { BERTH_STATE_DIR: join(folder, 'of somebody else') };
    const back = box.berth(['rollback', 'a', '--yes'], other);
    expect(back.code, back.stdout + back.stderr).toBe(0);
    expect(enter('cat', `/proc/${replica().pid}/environ`).stdout).toContain('N=1\0');
    // By now that is what comes before, also for who has applied it first.
    expect(berth('rollback', 'a', '--dry-run').stdout).toContain('back to what it was since');
    expect(enter('sh', '-c', 'stat -c "%a %U" /etc/berth/ran/*/*').stdout.trim()).toBe('644 root');
    expect(berth('down').code).toBe(0);
    expect(enter('ls', '/etc/berth').code).not.toBe(0);
  }, 240_000);

  test('a change that fails takes nothing away of what a unit was before, for whoever else may change it', () => {
    onTestFinished(() => void berth('down'));
    function apply(more: string): BoxRan {
      fleet(more);
      const path = join(folder, 'berth.yaml');
      // A unit that has its name from the file is replaced in its place.
      const text = readFileSync(path, 'utf8').replace('{kind: systemd}', '{kind: systemd, unit: kept}');
      writeFileSync(path, text);
      return berth('apply', '--yes');
    }
    for (const n of [1, 2]) {
      const applied = apply(`, env: {N: "${n}"}`);
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    }
    const failed = apply(', env: {NODE_OPTIONS: "--require=/nowhere"}');
    expect(failed.code, failed.stdout + failed.stderr).toBe(7);
    const other = { BERTH_STATE_DIR: join(folder, 'of one more') };
    const back = box.berth(['rollback', 'a', '--yes'], other);
    expect(back.code, back.stdout + back.stderr).toBe(0);
    expect(enter('cat', `/proc/${replica().pid}/environ`).stdout).toContain('N=1\0');
    expect(berth('down').code).toBe(0);
    expect(enter('ls', '/etc/berth').code).not.toBe(0);
  }, 240_000);

  test('systemd reads its files anew once for all units of a command, and replicas can be the instances of one name', () => {
    const before = inventory();
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    writeFileSync(
      join(folder, 'berth.yaml'),
      `version: 1
fleet: lab
id: box1
deployments:
  a: {replicas: 2, target: {kind: systemd, unit: "llm@"}, engine: {kind: command, command: ${command}, startTimeout: 60s}}
  b: {target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s}}
`,
    );
    onTestFinished(() => void berth('down'));
    function reloads(): number {
      const told = enter(
        'sh',
        '-c',
        'journalctl --sync; journalctl -q -o cat _PID=1 | grep -c "^Reloading"; true',
      );
      return Number(told.stdout.trim());
    }
    const first = reloads();
    const applied = berth('apply');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(reloads() - first).toBe(1);
    const status = JSON.parse(berth('status', '--json').stdout) as Status;
    const replicas = status.deployments.flatMap((deployment) => deployment.replicas);
    expect(replicas.map(({ object, state }) => [object, state])).toEqual([
      ['unit llm@0.service', 'ready'],
      ['unit llm@1.service', 'ready'],
      ['unit berth-lab-b.service', 'ready'],
    ]);
    expect(enter('systemctl', 'is-enabled', 'llm@0', 'llm@1', 'berth-lab-b').stdout).toBe(
      'enabled\n'.repeat(3),
    );
    const again = JSON.parse(berth('plan', '--json').stdout) as {
      actions: { do: string }[];
      findings: { rule: string }[];
    };
    expect(again.actions.map((action) => action.do)).toEqual(['keep', 'keep', 'keep']);
    expect(again.findings.map(({ rule }) => rule)).not.toContain('drift');
    const second = reloads();
    expect(berth('down').code).toBe(0);
    expect(reloads() - second).toBe(1);
    expect(inventory()).toBe(before);
  });

  test('a unit that was told to stop by a berth that was killed is not taken for one that runs, and is started again', () => {
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}', '--deaf']);
    writeFileSync(
      join(folder, 'berth.yaml'),
      `version: 1
fleet: lab
id: box1
deployments:
  a: {target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s, stopGrace: 15s}}
`,
    );
    onTestFinished(() => void berth('down'));
    expect(berth('apply').code).toBe(0);
    const first = replica();
    expect(enter('systemctl', 'stop', '--no-block', 'berth-lab-a').code).toBe(0);
    const applied = berth('apply', '--yes');
    expect(applied.code, applied.stdout + applied.stderr).toBe(0);
    expect(applied.stdout).toContain('start a');
    const second = replica();
    expect([second.state, second.object]).toEqual(['ready', 'unit berth-lab-a.service']);
    expect(second.pid).not.toBe(first.pid);
  });

  test('a unit on demand that was rendered and never ran is started by a request, at the port that it has', async () => {
    const before = inventory();
    const port = 18_099;
    const gateway = `http://127.0.0.1:${port}`;
    const head = `gateway: {listen: ["127.0.0.1:${port}"]}\nconsole: {listen: "127.0.0.1:0"}\n`;
    fleet('', head, 'load: on-demand\n    ttl: 1h');
    onTestFinished(() => void berth('down'));
    expect(berth('render', '--format', 'systemd', '--out', 'units').code).toBe(0);
    const copy = `cp -r '${join(folder, 'units')}/etc' / && systemctl daemon-reload`;
    expect(enter('sh', '-c', copy).code).toBe(0);
    const rendered = replica();
    expect([rendered.state, rendered.object]).toEqual(['stopped', 'unit berth-lab-a.service']);
    const up = berth('up', '--detach');
    expect(up.code, up.stdout + up.stderr).toBe(0);
    expect(enter('systemctl', 'is-active', 'berth-lab-a').stdout).toBe('inactive\n');
    const ask = `fetch('${gateway}/v1/chat/completions', {
      method: 'POST', headers: {'content-type': 'application/json'}, body: '{"model":"a","messages":[]}',
    }).then(async (reply) => console.log(reply.status, await reply.text()))`;
    for (let i = 0; i < 2; i += 1)
      expect(enter(process.execPath, '-e', ask).stdout).toMatch(/^200 .*chat\.completion/);
    const asked = replica();
    expect([asked.state, asked.object, asked.url]).toEqual(['ready', rendered.object, rendered.url]);
    expect(berth('down').code).toBe(0);
    expect(inventory()).toBe(before);
  });

  test('an engine lives as a unit: applied, seen, changed, killed and back, and gone without a trace', async () => {
    fleet('');
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
