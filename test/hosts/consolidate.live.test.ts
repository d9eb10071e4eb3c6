import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Architecture } from '../../src/audit/describe/architecture.ts';
import { AuditReport } from '../../src/domain/audit/report.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { programArgv } from '../../src/io/program.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

/**
 * The machine of the story: one model by two units, another one in a pod on the port of the second, and leftovers in Kubernetes.
 * Engines are real ones. The pod is a namespace with a pod's control group, and what its cluster would say is a file: nothing of it
 * needs a kubelet.
 */

const lacks = missingForSystemd();
if (lacks !== '') console.info(`consolidate: not run, ${lacks} is missing`);

const clients = 20;
const podUid = '0f3c9a52-1111-2222-3333-444455556666';
const units = { kimi: 'llm-kimi-vision', cpu: 'llm-kimi-cpu' };
let box: SystemdBox;

function path(name: string): string {
  return join(box.folder, name);
}

function words(model: string, port: number, ...more: string[]): string {
  const flags = ['--model', path(model), '--port', String(port), '--context', '256', ...more];
  return programArgv('embedded', flags).join(' ');
}

function unit(name: string, command: string): void {
  const text = `[Unit]\nDescription=${name}\n[Service]\nExecStart=${command}\n[Install]\nWantedBy=multi-user.target\n`;
  writeFileSync(path(`${name}.service`), text);
  box.enter('cp', path(`${name}.service`), '/etc/systemd/system/');
  box.enter('systemctl', 'daemon-reload');
  box.enter('systemctl', 'enable', '--now', `${name}.service`);
}

/** A process in a network and a control group of its own, as a kubelet has its pods. */
function pod(command: string): void {
  const group = `/sys/fs/cgroup/systemd/kubepods/burstable/pod${podUid}/${'c0ffee'.padEnd(64, '0')}`;
  const script = [
    'ip netns add pod',
    'ip link add cable type veth peer name eth0 netns pod',
    'ip addr add 10.77.0.1/24 dev cable',
    'ip link set cable up',
    'ip -n pod addr add 10.77.0.2/24 dev eth0',
    'ip -n pod link set eth0 up',
    'ip -n pod link set lo up',
    `mkdir -p ${group}`,
    `setsid sh -c 'echo $$ >${group}/cgroup.procs; exec ip netns exec pod ${command}' >/dev/null 2>&1 </dev/null &`,
  ];
  expect(box.enter('sh', '-ec', script.join('\n')).stderr).toBe('');
}

const objects = `
apiVersion: v1
kind: Service
metadata: {name: kimi-vl, namespace: llm}
spec: {selector: {app: kimi-vl}, ports: [{port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: mistral, namespace: llm}
spec:
  selector: {matchLabels: {app: mistral}}
  template:
    metadata: {labels: {app: mistral}}
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
metadata: {name: mistral, namespace: llm}
spec: {selector: {app: mistral}, ports: [{port: 8081}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: kimi-models, namespace: llm}
spec: {resources: {requests: {storage: 50Gi}}}
`;

/** Pids of the engines, by the model and port that they were started with. */
function engines(): string[] {
  const found = box.enter('pgrep', '-af', 'programs/embedded.ts').stdout.trim().split('\n');
  return found.filter((line) => /^\d+ \S*node /.test(line)).toSorted();
}

interface Answer {
  readonly client: number;
  readonly model: string;
  readonly status: number;
  readonly whole: boolean;
  readonly text: string;
}

function answers(file: string): Answer[] {
  if (!existsSync(path(file))) return [];
  const lines = readFileSync(path(file), 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  return lines.map((line) => JSON.parse(line) as Answer);
}

function accessLog(): string[] {
  const fleets = path('state/state');
  const logs = readdirSync(fleets).map((fleet) => join(fleets, fleet, 'logs/access.log'));
  return logs.filter(existsSync).flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'));
}

function load(out: string, stop: string): string {
  const program = resolve(import.meta.dirname, '../support/stream-texts.mjs');
  const names = ['kimi', 'kimi-2', 'mistral'].join(' ');
  return `'${process.execPath}' '${program}' http://127.0.0.1:8484 '${path(out)}' '${path(stop)}' ${clients} ${names}`;
}

async function answeredBy(address: string): Promise<void> {
  const ask = `curl -fsS -m 5 http://${address}/v1/models`;
  await until(() => box.enter('sh', '-c', ask).code === 0, `an answer of ${address}`);
}

describe.skipIf(lacks !== '')(
  'the machine of the story is looked at, adopted, and consolidated under a load',
  () => {
    beforeAll(async () => {
      box = startSystemdBox();
      for (const [seed, name] of ['kimi', 'mistral'].entries())
        await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: seed + 1, path: path(`${name}.gguf`) });
      writeFileSync(path('objects.yaml'), objects);
      unit(units.kimi, words('kimi.gguf', 8080, '--slots', '4', '--alias', 'kimi'));
      unit(units.cpu, words('kimi.gguf', 8081, '--slots', '2', '--alias', 'kimi'));
      pod(words('mistral.gguf', 8081, '--slots', '4', '--host', '0.0.0.0', '--alias', 'mistral'));
      for (const address of ['127.0.0.1:8080', '127.0.0.1:8081', '10.77.0.2:8081']) await answeredBy(address);
    }, 180_000);

    afterAll(() => {
      if (existsSync(path('berth.yaml'))) box.berth(['down']);
      box.stop();
    }, 120_000);

    test('the audit finds exactly what is wrong there', () => {
      const ran = box.berth(['audit', '--json', '--objects', 'objects.yaml', '--timeout', '30s']);
      expect(ran.code, ran.stderr).toBe(8);
      const report = AuditReport.parse(JSON.parse(ran.stdout));
      const found = report.findings.map(
        (one) => `${one.rule}: ${one.object.replace(/ \(process \d+\)/, '')}`,
      );
      expect(found.toSorted()).toEqual([
        `duplicate: ${path('kimi.gguf')}`,
        'orphan-claim: PersistentVolumeClaim llm/kimi-models',
        'orphan-service: Service llm/kimi-vl',
        'shares-host: Deployment llm/mistral',
      ]);
      expect(report.explained.some((line) => /^Port 8081 .* two network namespaces/.test(line))).toBe(true);
    }, 180_000);

    test('it is adopted as it runs: the same processes, and nothing to do for a plan', () => {
      const before = engines();
      expect(before).toHaveLength(3);
      const adopted = box.berth(['adopt', '--all', '--json']);
      expect(adopted.code, adopted.stdout + adopted.stderr).toBe(0);
      expect(JSON.parse(adopted.stdout)).toMatchObject({ changes: 0, reached: ['mistral'], refused: [] });
      const plan = JSON.parse(box.berth(['plan', '--json']).stdout) as Plan;
      expect(plan.actions.map((one) => `${one.do} ${one.deployment}`)).toEqual(['keep kimi', 'keep kimi-2']);
      expect(engines()).toEqual(before);
    }, 180_000);

    test('it becomes what was proposed, while twenty streams go on as if nothing had happened', async () => {
      const file = readFileSync(path('berth.yaml'), 'utf8');
      writeFileSync(
        path('berth.yaml'),
        `${file}gateway: {limits: {queueTime: 300s}, accessLog: {format: json}} # the door\n`,
      );
      const up = box.berth(['up', '--detach', '--json']);
      expect(up.code, up.stdout + up.stderr).toBe(0);
      const before = engines();
      writeFileSync(path('at-once'), '');
      const calm = box.enter('sh', '-c', load('calm', 'at-once'));
      expect(calm.code, calm.stderr).toBe(0);
      const expected = new Map(answers('calm').map((one) => [one.client, one.text]));
      expect(answers('calm').filter((one) => !one.whole)).toEqual([]);
      expect([...expected.values()].every((text) => text.length > 0)).toBe(true);

      box.enter('sh', '-c', `setsid ${load('busy', 'stop')} >'${path('load.log')}' 2>&1 </dev/null &`);
      await until(() => answers('busy').length >= clients, 'the load');
      const asked = ['--to', 'systemd', '--port', 'kimi=8080', '--port', 'mistral=8081', '--reserve', '8082'];
      const ran = box.berth(['consolidate', ...asked, '--yes', '--json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      const { done } = JSON.parse(ran.stdout) as { done: { did: string[] }[] };
      expect(done.map((one) => one.did)).toEqual([['stop kimi-2'], ['start mistral'], []]);
      const seen = answers('busy').length;
      await until(() => answers('busy').length >= seen + clients, 'the load to go on');
      writeFileSync(path('stop'), '');
      await until(() => box.enter('pgrep', '-f', 'stream-texts').code !== 0, 'the load to end');

      const all = answers('busy');
      expect(all.filter((one) => !one.whole)).toEqual([]);
      expect(all.filter((one) => one.text !== expected.get(one.client))).toEqual([]);
      expect(new Set(all.map((one) => one.model)).size).toBe(3);
      // Written twice a second; the calm run is in it as well.
      const records = await until(() => {
        const lines = accessLog();
        return lines.length >= all.length + clients ? lines : null;
      }, 'the access log');
      const noted = records.map((line) => JSON.parse(line) as { status: number; retries: number });
      expect(noted.filter((one) => one.status !== 200 || one.retries > 0)).toEqual([]);
      const kimi = before.find((line) => line.includes('--port 8080')) ?? '';
      expect(engines()).toContain(kimi);
      expect(
        box
          .enter('ss', '-ltnH')
          .stdout.match(/:808\d/g)
          ?.toSorted(),
      ).toEqual([':8080', ':8081']);
    }, 300_000);

    test('the description of the machine says so', () => {
      const ran = box.berth(['describe', '--json', '--timeout', '30s']);
      expect(ran.code, ran.stderr).toBe(0);
      const told = JSON.parse(ran.stdout) as Architecture;
      const kept = told.services.map((one) => [one.name, one.listens, one.keptBy.split(',')[0], one.routes]);
      expect(kept).toEqual([
        ['kimi', '127.0.0.1:8080', `unit ${units.kimi}.service`, ['kimi', 'kimi-2']],
        ['mistral', '127.0.0.1:8081', 'unit berth-home-mistral.service', ['mistral']],
        ['mistral.gguf', '0.0.0.0:8081 (own network)', 'pod 0f3c9a52', []],
      ]);
      expect(told.ports.map(({ port, who }) => `${port} ${who}`)).toEqual([
        '8080 kimi',
        '8081 mistral',
        '8082 reserved',
        '8484 the gateway',
      ]);
      expect(told.absent).toEqual([]);
    }, 120_000);
  },
);
