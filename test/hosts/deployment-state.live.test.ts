import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import type { Architecture } from '../../src/audit/describe/architecture.ts';
import { AuditReport } from '../../src/domain/audit/report.ts';
import type { Plan } from '../../src/domain/plan.ts';
import { localFiles } from '../../src/io/files.ts';
import { programArgv } from '../../src/io/program.ts';
import { makeModel } from '../../src/model-files/make-model.ts';
import { until } from '../support/berth.ts';
import { hostFolders, kubelet, startPod } from './story-pod.ts';
import type { StoryPod } from './story-pod.ts';
import { missingForSystemd, startSystemdBox } from './systemd-box.ts';
import type { SystemdBox } from './systemd-box.ts';

/**
 * The machine of the story: one model by two units, another one in a pod on the port of the second, and leftovers in Kubernetes.
 * Engines are real ones. The pod is a kubelet's where its programs are here, else a namespace with a pod's control group, and what
 * its cluster would say is a file: the title says which.
 */

const lacks = missingForSystemd();
if (lacks !== '') console.info(`deployment state: not run, ${lacks} is missing`);

const clients = 20;
const units = { kimi: 'llm-kimi-vision', cpu: 'llm-kimi-cpu' };
let box: SystemdBox;
let pod: StoryPod;

function path(name: string): string {
  return join(box.folder, name);
}

function words(model: string, port: number, ...more: string[]): string[] {
  const flags = ['--model', path(model), '--port', String(port), '--context', '256', ...more];
  return programArgv('embedded', flags);
}

function unit(name: string, command: readonly string[]): void {
  const text = `[Unit]\nDescription=${name}\n[Service]\nExecStart=${command.join(' ')}\n[Install]\nWantedBy=multi-user.target\n`;
  writeFileSync(path(`${name}.service`), text);
  box.enter('cp', path(`${name}.service`), '/etc/systemd/system/');
  box.enter('systemctl', 'daemon-reload');
  box.enter('systemctl', 'enable', '--now', `${name}.service`);
}

/** What the cluster has: the pod's Deployment, and a Service and a claim that nobody uses any longer. */
function objects(command: readonly string[]): string {
  const { volumes, volumeMounts } = hostFolders(box);
  const container = {
    name: 'server',
    image: 'localhost/usr:1',
    imagePullPolicy: 'IfNotPresent',
    command,
    resources: { limits: { cpu: '4000m', memory: '12Gi' }, requests: { cpu: '100m', memory: '64Mi' } },
    readinessProbe: { httpGet: { path: '/health', port: 8081 }, periodSeconds: 1 },
    volumeMounts,
  };
  const spec = { hostPID: true, automountServiceAccountToken: false, containers: [container], volumes };
  function service(name: string, port: number): unknown {
    const metadata = { name, namespace: 'llm' };
    return {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: name }, ports: [{ port }] },
    };
  }
  const items = [
    service('kimi-vl', 8080),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'mistral', namespace: 'llm' },
      spec: {
        selector: { matchLabels: { app: 'mistral' } },
        template: { metadata: { labels: { app: 'mistral' } }, spec },
      },
    },
    service('mistral', 8081),
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'kimi-models', namespace: 'llm' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '50Gi' } } },
    },
  ];
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

/** Pids of the engines, by the model and port that they were started with. */
function engines(): string[] {
  const found = box.enter('pgrep', '-af', 'programs/embedded[.][jt]s').stdout.trim().split('\n');
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

function hasEnded(): boolean {
  return box.enter('pgrep', '-f', 'stream-texts').code !== 0;
}

async function answeredBy(address: string): Promise<void> {
  const ask = `curl -fsS -m 5 http://${address}/v1/models`;
  await until(() => box.enter('sh', '-c', ask).code === 0, `an answer of ${address}`);
}

function audit(...more: string[]): AuditReport {
  const { words: looked, env } = pod.audited;
  const ran = box.berth(['audit', '--json', ...looked, '--timeout', '30s', ...more], env);
  try {
    return AuditReport.parse(JSON.parse(ran.stdout));
  } catch {
    throw new Error(ran.stderr || ran.stdout);
  }
}

/** What the audit prints for whoever wants to be rid of what nobody uses. */
function removals({ findings }: AuditReport): string[] {
  return findings.flatMap((one) => (one.rule.startsWith('orphan') ? (one.commands ?? []) : []));
}

interface Removed {
  readonly removed: readonly { readonly object: string; readonly kept: string; readonly undo: string }[];
}

describe.skipIf(lacks !== '')(
  `the machine of the story, its pod by ${kubelet ? 'a kubelet' : 'a double of one'}`,
  () => {
    beforeAll(async () => {
      const shared = [process.env['KUBEBUILDER_ASSETS'] ?? ''].filter((one) => one !== '');
      box = startSystemdBox(shared, { node: kubelet });
      for (const [seed, name] of ['kimi', 'mistral'].entries())
        await makeModel(localFiles, { size: '1M', type: 'q8_0', seed: seed + 1, path: path(`${name}.gguf`) });
      unit(units.kimi, words('kimi.gguf', 8080, '--slots', '4', '--alias', 'kimi'));
      unit(units.cpu, words('kimi.gguf', 8081, '--slots', '2', '--alias', 'kimi'));
      const command = words('mistral.gguf', 8081, '--slots', '4', '--host', '0.0.0.0', '--alias', 'mistral');
      pod = await startPod(box, { objects: objects(command), command });
      for (const address of ['127.0.0.1:8080', '127.0.0.1:8081', `${pod.address}:8081`])
        await answeredBy(address);
    }, 300_000);

    afterAll(() => {
      if (existsSync(path('berth.yaml'))) box.berth(['down']);
      box.stop();
    }, 120_000);

    test('the audit finds exactly what is wrong there, and that one port in two networks is not', () => {
      const report = audit();
      const found = report.findings.map(
        (one) => `${one.rule}: ${one.object.replace(/ \(process \d+\)/, '')}`,
      );
      expect(found.toSorted()).toEqual([
        `duplicate: ${path('kimi.gguf')}`,
        'orphan-claim: PersistentVolumeClaim llm/kimi-models',
        'orphan-service: Service llm/kimi-vl',
        'shares-host: Deployment llm/mistral',
      ]);
      expect(report.servers).toBe(3);
      expect(report.explained.some((line) => /^Port 8081 .* two network namespaces/.test(line))).toBe(true);
      const twice = report.findings.find((one) => one.rule === 'duplicate');
      expect(twice?.commands).toEqual([`sudo systemctl disable --now ${units.cpu}.service`]);
      // Of objects from a file it is not known which cluster they are of.
      expect(removals(report)).toEqual(
        pod.cluster
          ? [
              'berth remove service:llm/kimi-vl --context box',
              'berth remove pvc:llm/kimi-models --context box',
            ]
          : [],
      );
    }, 180_000);

    test('it is adopted as it runs: the same processes, and nothing to do for a plan', () => {
      const before = engines();
      expect(before).toHaveLength(3);
      const adopted = box.berth(['adopt', '--all', '--json']);
      expect(adopted.code, adopted.stdout + adopted.stderr).toBe(0);
      expect(JSON.parse(adopted.stdout)).toMatchObject({ changes: 0, reached: ['mistral'], refused: [] });
      const plan = JSON.parse(box.berth(['plan', '--json']).stdout) as Plan;
      expect(plan.actions.map((one) => `${one.do} ${one.deployment}`)).toEqual(['keep kimi', 'keep kimi-2']);
      expect(plan.findings.map((one) => one.rule)).not.toContain('drift');
      expect(plan.findings.map((one) => one.rule)).not.toContain('rendered-otherwise');
      expect(engines()).toEqual(before);
    }, 180_000);

    test('a unit of the fleet is not removed as one of others, until it is disowned; then it is as it was', () => {
      const before = engines();
      const object = `unit:${units.cpu}.service`;
      const refused = box.berth(['remove', object, '--yes']);
      expect([refused.code === 0, refused.stderr]).toEqual([
        false,
        expect.stringContaining('it carries the mark of a fleet'),
      ]);
      const folder = box.enter('ls', '/etc/systemd/system').stdout;
      expect(folder).toContain(`${units.cpu}.service.d`);
      expect(box.berth(['disown', 'kimi-2']).code).toBe(0);
      expect(box.enter('ls', '/etc/systemd/system').stdout).not.toContain(`${units.cpu}.service.d`);
      expect(engines()).toEqual(before);
      const file = parseDocument(readFileSync(path('berth.yaml'), 'utf8'));
      for (const part of ['deployments', 'models']) file.deleteIn([part, 'kimi-2']);
      writeFileSync(path('berth.yaml'), String(file));
      const again = box.berth(['adopt', '--all', '--json']);
      expect(again.code, again.stdout + again.stderr).toBe(0);
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
      // What waits at the gateway may do so for as long as its queue lets it.
      await until(hasEnded, 'the load to end', 300_000);

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
    }, 600_000);

    test('the description of the machine says so', () => {
      const ran = box.berth(['describe', '--json', '--timeout', '30s']);
      expect(ran.code, ran.stderr).toBe(0);
      const told = JSON.parse(ran.stdout) as Architecture;
      const kept = told.services.map((one) => [one.name, one.listens, one.keptBy.split(',')[0], one.routes]);
      expect(kept).toEqual([
        ['kimi', '127.0.0.1:8080', `unit ${units.kimi}.service`, ['kimi', 'kimi-2']],
        ['mistral', '127.0.0.1:8081', 'unit berth-home-mistral.service', ['mistral']],
        ['mistral.gguf', '0.0.0.0:8081 (own network)', expect.stringMatching(/^pod [0-9a-f]{8}$/), []],
      ]);
      expect(told.ports.map(({ port, who }) => `${port} ${who}`)).toEqual([
        '8080 kimi',
        '8081 mistral',
        '8082 reserved',
        '8484 the gateway',
      ]);
      expect(told.absent).toEqual([]);
    }, 120_000);

    test.skipIf(!kubelet)(
      'what is left over in the cluster goes when it is named, and comes back as it was',
      async () => {
        const { kubectl } = pod.cluster ?? { kubectl: () => '' };
        const { env } = pod.audited;
        function spec(kind: string, name: string): unknown {
          return (JSON.parse(kubectl('-n', 'llm', 'get', kind, name, '-o', 'json')) as { spec: unknown })
            .spec;
        }
        const used = box.berth(['remove', 'service:llm/mistral', '--context', 'box', '--yes'], env);
        expect(used.stderr).toContain('it has endpoints, or leads to a workload');
        const before = [spec('service', 'kimi-vl'), spec('pvc', 'kimi-models')];
        const printed = [...removals(audit()), 'berth remove deployment:llm/mistral --context box'];
        const removed = printed.flatMap((line) => {
          const ran = box.berth([...line.split(' ').slice(1), '--yes', '--json'], env);
          expect(ran.code, ran.stdout + ran.stderr).toBe(0);
          return (JSON.parse(ran.stdout) as Removed).removed;
        });
        const named = ['service:llm/kimi-vl', 'pvc:llm/kimi-models', 'deployment:llm/mistral'];
        expect(removed.map((one) => one.object)).toEqual(named);
        await until(() => engines().length === 2, 'the pod to be gone');
        // Of what was there, what led to the pod is now a leftover too.
        expect(audit().findings.map((one) => `${one.rule}: ${one.object}`)).toEqual([
          'orphan-service: Service llm/mistral',
        ]);
        for (const { undo } of removed) {
          const undone = box.berth(undo.split(' ').slice(1), env);
          expect(undone.code, undone.stderr).toBe(0);
        }
        expect([spec('service', 'kimi-vl'), spec('pvc', 'kimi-models')]).toEqual(before);
        await until(() => engines().length === 3, 'the pod to be there again');
      },
      180_000,
    );

    test('a unit that nobody starts goes when it is named, and the undo brings back its files and its state', async () => {
      unit('llm-old', words('kimi.gguf', 8090, '--slots', '1', '--alias', 'old'));
      const folder = '/etc/systemd/system/llm-old.service.d';
      box.enter('sh', '-c', `mkdir -p ${folder} && printf '[Service]\\nNice=5\\n' >${folder}/nice.conf`);
      box.enter('systemctl', 'daemon-reload');
      await answeredBy('127.0.0.1:8090');
      const before = box.enter('systemctl', 'cat', 'llm-old.service').stdout;
      const asked = box.berth(['remove', 'unit:llm-old.service']);
      expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining('--yes')]);
      const ran = box.berth(['remove', 'unit:llm-old', '--yes', '--json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      const [removed] = (JSON.parse(ran.stdout) as Removed).removed;
      expect(box.enter('systemctl', 'cat', 'llm-old.service').code).not.toBe(0);
      expect(box.enter('ls', '/etc/systemd/system').stdout).not.toContain('llm-old');
      expect(box.enter('systemctl', 'list-units', '--all', '--plain').stdout).not.toContain('llm-old');
      const undone = box.berth((removed?.undo ?? '').split(' ').slice(1));
      expect(undone.code, undone.stderr).toBe(0);
      expect(box.enter('systemctl', 'cat', 'llm-old.service').stdout).toBe(before);
      expect(box.enter('systemctl', 'is-enabled', 'llm-old.service').stdout.trim()).toBe('enabled');
      await answeredBy('127.0.0.1:8090');
    }, 120_000);

    test('an instance of a template goes alone when it is named, and adopting says why it is only reached', async () => {
      const line = words('kimi.gguf', 8091, '--alias', '%i').join(' ');
      writeFileSync(path('kept@.service'), `[Service]\nExecStart=${line}\n`);
      box.enter('cp', path('kept@.service'), '/etc/systemd/system');
      box.enter('systemctl', 'daemon-reload');
      expect(box.enter('systemctl', 'start', 'kept@b.service').code).toBe(0);
      await answeredBy('127.0.0.1:8091');
      expect(audit().findings.map((one) => one.rule)).not.toContain('runs-otherwise');
      const offer = box.berth(['adopt', '--json']);
      expect(offer.stdout, offer.stderr).toContain('its unit kept@b is made from a template');
      const ran = box.berth(['remove', 'unit:kept@b.service', '--yes', '--json']);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect(box.enter('ls', '/etc/systemd/system').stdout).toContain('kept@.service');
      expect(box.enter('systemctl', 'is-active', 'kept@b.service').code).not.toBe(0);
    }, 120_000);

    test('an adopted unit is changed like any other, and its first definition stays beside it', () => {
      const file = path('berth.yaml');
      writeFileSync(file, readFileSync(file, 'utf8').replace('slots: 4', 'slots: 3'));
      const plan = JSON.parse(box.berth(['plan', '--json']).stdout) as Plan;
      const changed = plan.actions.find((one) => one.do === 'replace');
      expect(changed?.reasons.map((one) => one.field)).toEqual(['engine.slots']);
      expect(changed?.deployment).toBe('kimi');
      const applied = box.berth(['apply', '--yes', '--only', 'kimi']);
      expect(applied.code, applied.stdout + applied.stderr).toBe(0);
      const kept = `/etc/systemd/system/${units.kimi}.service`;
      expect(box.enter('cat', kept).stdout).toContain('"--slots" "3"');
      expect(box.enter('cat', `${kept}.before-berth`).stdout).toContain(
        '--port 8080 --context 256 --slots 4',
      );
      expect(box.berth(['down']).code).toBe(0);
      expect(box.enter('ls', '/etc/systemd/system').stdout.split('\n')).not.toContain(
        `${units.kimi}.service`,
      );
    }, 180_000);
  },
);
