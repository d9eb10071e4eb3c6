import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AuditReport } from '../../src/domain/audit/report.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { until } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { BoxRan, SystemdBox } from './systemd-box.ts';

const root = resolve(import.meta.dirname, '../..');
const podUid = '0f3c9a52-1111-2222-3333-444455556666';

const lacks = missingForSystemd();
if (lacks !== '') console.info(`deployment state: not run, ${lacks} is missing`);

let box: SystemdBox;
let folder: string;

function enter(...argv: string[]): BoxRan {
  return box.enter(...argv);
}

function berth(...args: string[]): BoxRan {
  return box.berth(args);
}

function unit(name: string, words: string): void {
  const text = `[Unit]\nDescription=${name}\n[Service]\nExecStart=${folder}/llama-server ${words}\n[Install]\nWantedBy=multi-user.target\n`;
  writeFileSync(join(folder, `${name}.service`), text);
  enter('cp', join(folder, `${name}.service`), '/etc/systemd/system/');
  enter('systemctl', 'daemon-reload');
  enter('systemctl', 'enable', '--now', `${name}.service`);
}

/** A process in a network namespace and a control group of its own, as a kubelet has its pods; the API is a file here. */
function pod(words: string): void {
  const group = `/sys/fs/cgroup/systemd/kubepods/burstable/pod${podUid}/${'c0ffee'.padEnd(64, '0')}`;
  const script = [
    'ip netns add pod',
    'ip netns exec pod ip link set lo up',
    `mkdir -p ${group}`,
    `setsid sh -c 'echo $$ >${group}/cgroup.procs; exec ip netns exec pod "${folder}/llama-server" ${words}' >/dev/null 2>&1 </dev/null &`,
  ];
  enter('sh', '-c', script.join('\n'));
}

const objects = `
apiVersion: v1
kind: Service
metadata: {name: llamacpp-kimi-vl, namespace: llamacpp}
spec: {selector: {app: llamacpp-kimi-vl}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: llamacpp-mistral, namespace: llamacpp}
spec:
  selector: {matchLabels: {app: llamacpp-mistral}}
  template:
    metadata: {labels: {app: llamacpp-mistral}}
    spec:
      hostPID: true
      containers:
        - name: server
          image: ghcr.io/ggml-org/llama.cpp:server-b6000
          args: [-m, /models/mistral.gguf, --port, "8081", --threads, "2", --cache-ram, "0"]
          resources: {limits: {cpu: 4000m, memory: 12Gi}}
          readinessProbe: {httpGet: {path: /health, port: 8081}}
---
apiVersion: v1
kind: Service
metadata: {name: llamacpp-mistral, namespace: llamacpp}
spec: {selector: {app: llamacpp-mistral}, ports: [{port: 8081}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kimi-models, namespace: llamacpp}
spec: {resources: {requests: {storage: 50Gi}}}
`;

function pids(): string[] {
  return enter('pgrep', '-f', `${folder}/llama-server`).stdout.trim().split('\n');
}

describe.skipIf(lacks !== '')(
  'one box with two units of the same model, a pod on the same port, and leftovers in Kubernetes',
  () => {
    beforeAll(async () => {
      box = startSystemdBox();
      ({ folder } = box);
      const code = readFileSync(join(root, 'test/scenarios/scan/fake-server.cjs'), 'utf8');
      writeFileSync(join(folder, 'llama-server'), `#!${process.execPath}\n${code}`);
      chmodSync(join(folder, 'llama-server'), 0o755);
      chmodSync(folder, 0o755);
      copyFileSync(join(root, 'test/recorded/llama-server/help-0.7.txt'), join(folder, 'llama-server.help'));
      for (const name of ['kimi', 'mistral']) writeFileSync(join(folder, `${name}.gguf`), name);
      writeFileSync(join(folder, 'objects.yaml'), objects);
      unit('llamacpp-kimi-vision', `-m ${folder}/kimi.gguf --port 8080 -np 4 -c 16384 -ngl 45`);
      unit('llamacpp-kimi-cpu', `-m ${folder}/kimi.gguf --port 8081 -np 2 -c 8192 -ngl 0`);
      pod(`-m ${folder}/mistral.gguf --port 8081`);
      await until(() => pids().length === 3, 'three servers');
      await until(() => enter('sh', '-c', 'ss -ltn | grep -c 808').stdout.trim() === '2', 'two ports');
    }, 120_000);

    afterAll(() => box.stop(), 60_000);

    test('the audit finds what is wrong there, and that one port in two networks is not', () => {
      const ran = berth('audit', '--json', '--objects', 'objects.yaml', '--timeout', '20s');
      expect(ran.code, ran.stderr).toBe(8);
      const report = AuditReport.parse(JSON.parse(ran.stdout));
      const found = report.findings.map(
        (one) => `${one.rule}: ${one.object.replace(/ \(process \d+\)/, '')}`,
      );
      expect(found.toSorted()).toEqual([
        `duplicate: ${folder}/kimi.gguf`,
        'gpu-layers-without-gpu: llama.cpp kimi.gguf',
        'orphan-claim: PersistentVolumeClaim llamacpp/kimi-models',
        'orphan-service: Service llamacpp/llamacpp-kimi-vl',
        'shares-host: Deployment llamacpp/llamacpp-mistral',
      ]);
      expect(report.explained.some((line) => /^Port 8081 .* two network namespaces/.test(line))).toBe(true);
      const twice = report.findings.find((one) => one.rule === 'duplicate');
      expect(twice?.commands).toEqual(['sudo systemctl disable --now llamacpp-kimi-cpu.service']);
    }, 120_000);

    test('the units are adopted as they run: the same processes, and nothing to do for a plan', () => {
      const before = pids();
      const adopted = berth('adopt', '--all', '--json');
      expect(adopted.code, adopted.stdout + adopted.stderr).toBe(0);
      expect(JSON.parse(adopted.stdout)).toMatchObject({ changes: 0, adopted: [{}, {}], refused: [{}] });
      const plan = JSON.parse(berth('plan', '--json').stdout) as Plan;
      expect(plan.actions.map((one) => [one.do, 'running' in one && one.running.object.name])).toEqual([
        ['keep', 'unit llamacpp-kimi-vision.service'],
        ['keep', 'unit llamacpp-kimi-cpu.service'],
      ]);
      expect(plan.findings.map((one) => one.rule)).not.toContain('drift');
      expect(plan.findings.map((one) => one.rule)).not.toContain('rendered-otherwise');
      expect(pids()).toEqual(before);
      const [name = ''] = plan.actions.map((one) => one.deployment);
      const disowned = berth('disown', name);
      expect(disowned.code, disowned.stderr).toBe(0);
      expect(enter('ls', '/etc/systemd/system').stdout).toContain('llamacpp-kimi-cpu.service.d');
      expect(enter('ls', '/etc/systemd/system').stdout).not.toContain('llamacpp-kimi-vision.service.d');
      expect(pids()).toEqual(before);
    }, 120_000);

    test('an adopted unit is changed like any other, and its first definition stays beside it', () => {
      const file = join(folder, 'berth.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replaceAll('slots: 2', 'slots: 3'));
      const plan = JSON.parse(berth('plan', '--json').stdout) as Plan;
      const changed = plan.actions.find((one) => one.do === 'replace');
      expect(changed?.reasons.map((one) => one.field)).toEqual(['engine.slots']);
      const name = changed?.deployment ?? '';
      const applied = berth('apply', '--yes', '--only', name);
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const unit = '/etc/systemd/system/llamacpp-kimi-cpu.service';
      expect(enter('cat', unit).stdout).toContain('"--parallel" "3"');
      expect(enter('cat', `${unit}.before-berth`).stdout).toContain('--port 8081 -np 2');
      expect(berth('down').code).toBe(0);
      expect(enter('ls', '/etc/systemd/system').stdout.split('\n')).not.toContain(
        'llamacpp-kimi-cpu.service',
      );
    }, 120_000);
  },
);
