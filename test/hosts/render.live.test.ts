import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { fakeEngine, makePlace } from '../support/berth.ts';
import { findQuadlet } from './find-quadlet.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';

vi.setConfig({ testTimeout: 600_000 });

const lacks = missingForSystemd();

test.skipIf(lacks !== '')(
  `units that are rendered and started by systemctl alone are what berth would apply, and the reverse${lacks ? ` (${lacks} is missing)` : ''}`,
  () => {
    const box = startSystemdBox();
    onTestFinished(() => box.stop());
    const { folder, enter, berth } = box;
    const command = JSON.stringify([process.execPath, fakeEngine, '{port}']);
    writeFileSync(
      join(folder, 'berth.yaml'),
      `version: 1
fleet: lab
id: files
deployments:
  a: {replicas: 2, resources: {limits: {memory: 500Mi}}, target: {kind: systemd}, engine: {kind: command, command: ${command}, startTimeout: 60s, env: {COLOUR: "blue $HOME %h", FOLDER: "{cache}"}}}
`,
    );
    expect(berth(['render', '--format', 'systemd', '--out', 'units']).code).toBe(0);
    const units = join(folder, 'units');
    const names = readdirSync(join(units, 'etc/systemd/system')).filter((name) => name.endsWith('.service'));
    expect(names).toEqual(['berth-lab-a-1.service', 'berth-lab-a.service']);
    for (const name of names) {
      const verified = enter('sh', '-c', `systemd-analyze verify '${units}/etc/systemd/system/${name}' 2>&1`);
      expect([verified.code, verified.stdout]).toEqual([0, '']);
    }

    const started = enter(
      'sh',
      '-c',
      `cp -r '${units}/etc' / && systemctl daemon-reload && systemctl enable --now berth-lab-a berth-lab-a-1 2>&1`,
    );
    expect(started.code, started.stdout).toBe(0);
    const plan = JSON.parse(berth(['plan', '--json']).stdout) as Plan;
    expect(plan.actions.map((action) => action.do)).toEqual(['keep', 'keep']);
    expect(plan.findings).toEqual([]);
    expect(berth(['down']).code).toBe(0);
    expect(enter('sh', '-c', 'ls /etc/systemd/system | grep berth; true').stdout).toBe('');

    // What apply makes is what render writes, but for the place of the log, which units do not use.
    const applied = berth(['apply']);
    expect(applied.code, applied.stdout).toBe(0);
    const differences = enter(
      'sh',
      '-c',
      `for f in $(cd '${units}' && find etc -name "*.service" -o -name environment); do diff "/$f" "${units}/$f"; done`,
    );
    expect(differences.stdout).toBe('');
    const ended = berth(['down']);
    expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  },
);

/** A program that reads compose files, with the arguments before its own. */
const compose = [['docker', 'compose'], ['docker-compose'], ['podman-compose']].find((words) => {
  try {
    execFileSync(words[0] ?? '', [...words.slice(1), 'version'], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
});

test.skipIf(!compose)(
  `a rendered compose file is accepted by ${compose?.join(' ') ?? 'a compose program (none is here)'}`,
  async () => {
    const place = makePlace();
    onTestFinished(() => place.close());
    place.write(`version: 1
fleet: lab
models:
  m: {source: /srv/models/m.gguf}
  h: {source: "hf://a/b", secret: "\${env:HUB_TOKEN}"}
deployments:
  a: {model: m, replicas: 2, resources: {limits: {cpu: 4, memory: 12Gi}}, target: {kind: docker}, engine: {kind: llama.cpp, slots: 2, args: ["--override-kv", "$x"]}}
  b: {model: h, gpus: 2, port: 8000, ownKey: true, target: {kind: docker, shm: 8Gi}, engine: {kind: vllm}}
`);
    expect((await place.berth('render', '--format', 'compose', '--out', '.')).code).toBe(0);
    const [program = '', ...words] = compose ?? [];
    const read = execFileSync(program, [...words, '-f', join(place.folder, 'compose.yaml'), 'config'], {
      encoding: 'utf8',
      env: { ...process.env, HUB_TOKEN: 'x' },
    });
    for (const text of ['a-1', '18401', '--override-kv', 'nvidia']) expect(read).toContain(text);
  },
);

const quadlet = findQuadlet();

test.skipIf(!quadlet)(
  `rendered Quadlet files become units${quadlet ? '' : ' (no quadlet of podman: tools/live/quadlet.sh gets one)'}`,
  async () => {
    const place = makePlace();
    onTestFinished(() => place.close());
    place.write(`version: 1
fleet: lab
models:
  m: {source: /srv/models/m.gguf}
  h: {source: "hf://a/b", secret: "\${env:HUB_TOKEN}"}
deployments:
  a: {model: m, replicas: 2, resources: {limits: {cpu: 4, memory: 12Gi}}, target: {kind: docker}, engine: {kind: llama.cpp, slots: 2, args: ["--override-kv", "$x 100%"]}}
  b: {model: h, gpus: 2, port: 8000, ownKey: true, target: {kind: docker, shm: 8Gi}, engine: {kind: vllm}}
`);
    expect((await place.berth('render', '--format', 'quadlet', '--out', '.')).code).toBe(0);
    const env = { ...process.env, QUADLET_UNIT_DIRS: join(place.folder, 'etc/containers/systemd') };
    const made = execFileSync(quadlet ?? '', ['-dryrun'], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const starts = made.split('\n').filter((line) => line.startsWith('ExecStart='));
    expect(starts).toHaveLength(3);
    expect(starts.join('\n')).toContain('--publish 127.0.0.1:8000:8000');
    expect(starts.join('\n')).toContain('--device nvidia.com/gpu=1');
    const waits = made.split('\n').filter((line) => line.startsWith('ExecStartPost='));
    expect(waits).toHaveLength(3);
    expect(waits[2]).toContain("'http://127.0.0.1:8000/health'");
    expect(starts[0]).toMatch(/--override-kv "\$\$x(?:\\x20| )100%%"$/);
  },
);

test.skipIf(!quadlet)(
  `what the target systemd writes for a container becomes a unit that systemd takes${quadlet ? '' : ' (no quadlet of podman: tools/live/quadlet.sh gets one)'}`,
  async () => {
    const place = makePlace();
    onTestFinished(() => place.close());
    place.write(`version: 1
fleet: lab
models:
  h: {source: "hf://a/b", secret: "\${env:HUB_TOKEN}"}
deployments:
  a: {model: h, gpus: 1, port: 8000, ownKey: true, resources: {limits: {memory: 12Gi}}, target: {kind: systemd, unit: {Container: {GroupAdd: ["44", "109"]}}, container: {shm: 8Gi, pull: never}}, engine: {kind: vllm, args: ["--x", "$x 100%"]}}
`);
    expect((await place.berth('render', '--format', 'systemd', '--out', '.')).code).toBe(0);
    const env = { ...process.env, QUADLET_UNIT_DIRS: join(place.folder, 'etc/containers/systemd') };
    const made = execFileSync(quadlet ?? '', ['-dryrun'], { encoding: 'utf8', env, stdio: 'pipe' });
    const text = made.slice(made.indexOf('\n') + 1);
    const [start = ''] = text.split('\n').filter((line) => line.startsWith('ExecStart='));
    for (const part of [
      '--publish 127.0.0.1:8000:8000',
      '--device nvidia.com/gpu=0',
      '--group-add 44 --group-add 109',
      '/etc/berth/units/berth-lab-a/hub:/run/secrets/hub:ro',
      '--pull never',
      '--log-driver=passthrough',
    ])
      expect(start).toContain(part);
    const file = join(place.folder, 'berth-lab-a.service');
    writeFileSync(file, text);
    // It says so on standard error, and exits with 0.
    const verify = 'systemd-analyze verify --man=no "$0" 2>&1';
    const said = execFileSync('sh', ['-c', verify, file], { encoding: 'utf8', stdio: 'pipe' });
    expect(said.split('\n').filter((line) => line.includes('berth-lab-a'))).toEqual([]);
  },
);
