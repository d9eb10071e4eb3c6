import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { AuditReport } from '../../../src/domain/audit/report.ts';
import type { Observation } from '../../../src/domain/audit/observation.ts';
import { healthyObservation } from '../../support/healthy-observation.ts';
import { berth, createFakes, freePort } from '../scan/fakes.ts';

/** A recording in which one model is served twice, the second time open to all. */
function recording(): Observation {
  const seen = healthyObservation();
  const [kimi, mistral] = seen.hosts[0]?.servers ?? [];
  if (!kimi || !mistral) throw new Error('The healthy machine has lost its servers.');
  mistral.modelId = kimi.modelId;
  mistral.endpoints = [{ address: '0.0.0.0', port: 18_401, netns: '4026531840', here: true }];
  return seen;
}

test('what runs here is audited with evidence, recorded, and audited again from the recording', async () => {
  using fakes = createFakes();
  const program = fakes.program('llama-server');
  const model = join(fakes.dir, 'twice.gguf');
  writeFileSync(model, 'not read');
  const first = await fakes.start([program, '-m', model, '--port', String(await freePort())]);
  await fakes.start([program, '-m', model, '--port', String(await freePort())]);
  const kept = join(fakes.dir, 'seen.json');
  const live = await berth(['audit', '--json', '--record', kept, '--timeout', '8s'], fakes.dir);
  expect(live.code).toBe(8);
  const report = AuditReport.parse(JSON.parse(live.out));
  const finding = report.findings.find((one) => one.rule === 'duplicate' && one.object === model);
  expect(finding?.evidence.some((line) => line.includes(`process ${first.pid})`))).toBe(true);
  expect(finding?.cost?.memoryBytes).toBeGreaterThan(1_000_000);
  expect(report.findings.filter((one) => one.rule === 'unmanaged').length).toBeGreaterThanOrEqual(2);
  const again = await berth(['audit', '--json', '--from', kept], fakes.dir);
  expect(JSON.parse(again.out)).toEqual(JSON.parse(live.out));
});

test('the exit code follows the severity that was asked for', async () => {
  using fakes = createFakes();
  const kept = join(fakes.dir, 'seen.json');
  writeFileSync(kept, JSON.stringify(recording()));
  const usual = await berth(['audit', '--from', kept], fakes.dir);
  expect(usual.code).toBe(8);
  expect(usual.out).toContain('[duplicate]');
  expect(usual.out).toContain('Cost: 6.0 GiB of memory');
  expect(usual.out).toContain('[open-without-key]');
  expect(usual.out).toMatch(/\d+ model servers, 2 findings\.\n$/);
  expect((await berth(['audit', '--from', kept, '--fail-on', 'critical'], fakes.dir)).code).toBe(0);
  expect((await berth(['audit', '--from', kept, '--fail-on', 'never'], fakes.dir)).code).toBe(2);
  writeFileSync(kept, JSON.stringify(healthyObservation()));
  const fine = await berth(['audit', '--from', kept], fakes.dir);
  expect([fine.code, fine.out]).toEqual([0, '8 model servers, 0 findings.\n']);
  writeFileSync(kept, '{"version": 1}');
  expect((await berth(['audit', '--from', kept], fakes.dir)).code).toBe(2);
});

test('the fleet file leaves findings out with a reason until a day; expired and useless suppressions are told', async () => {
  using fakes = createFakes();
  const kept = join(fakes.dir, 'seen.json');
  writeFileSync(kept, JSON.stringify(recording()));
  const suppress = [
    { rule: 'duplicate', object: 'mistral', reason: 'moving it this week', until: '2026-12-05' },
    { rule: 'open-without-key', object: 'mistral', reason: 'tailnet only', until: '2026-11-01' },
    { rule: 'idle', object: 'kimi', reason: 'kept warm' },
  ];
  const fleet = { version: 1, fleet: 'lab', audit: { suppress } };
  writeFileSync(join(fakes.dir, 'berth.yaml'), JSON.stringify(fleet));
  const { out } = await berth(['audit', '--from', kept, '--json'], fakes.dir);
  const report = AuditReport.parse(JSON.parse(out));
  expect(report.findings.map((one) => one.rule)).toEqual(['open-without-key']);
  expect(report.suppressed.map(({ finding, by }) => [finding.rule, by.reason])).toEqual([
    ['duplicate', 'moving it this week'],
  ]);
  expect(report.expired.map((one) => one.rule)).toEqual(['open-without-key']);
  expect(report.unused.map((one) => one.rule)).toEqual(['idle']);
  const { out: text } = await berth(['audit', '--from', kept], fakes.dir);
  expect(text).toContain(
    'The suppression of open-without-key for mistral ended on 2026-11-01 (tailnet only).',
  );
  expect(text).toContain('1 more left out by the fleet file');
  writeFileSync(
    join(fakes.dir, 'berth.yaml'),
    JSON.stringify({ ...fleet, audit: { suppress: [{ rule: 'duplicat', reason: 'x' }] } }),
  );
  const wrong = await berth(['validate', '--json'], fakes.dir);
  expect(wrong.out).toContain('Did you mean \\"duplicate\\"?');
});

test('figures that contradict themselves are findings, from the fleet file and by --figures', async () => {
  using fakes = createFakes();
  const single = { streams: 1, outputTokens: 80, seconds: 17.35 };
  const parallel = { streams: 2, outputTokens: 167, seconds: 27.09 };
  function figures(efficiency: number): string {
    const claim = { kind: 'efficiency', source: 'a report', claims: { efficiency }, single, parallel };
    return JSON.stringify({ version: 1, claims: { 'two-streams': claim } });
  }
  writeFileSync(join(fakes.dir, 'wrong.yaml'), figures(1.28));
  writeFileSync(join(fakes.dir, 'right.yaml'), figures(0.67));
  async function found(
    words: readonly string[],
  ): Promise<{ rule: string; object: string; evidence: string[] }[]> {
    const { out } = await berth(['audit', '--json', ...words], fakes.dir);
    return AuditReport.parse(JSON.parse(out)).findings.filter((one) => one.rule === 'contradicted-figure');
  }
  expect(await found(['--figures', 'right.yaml'])).toEqual([]);
  const [wrong, ...more] = await found(['--figures', 'wrong.yaml']);
  expect(more).toEqual([]);
  expect(wrong?.object).toBe('two-streams');
  expect(wrong?.evidence).toContainEqual('wrong.yaml, from a report');
  writeFileSync(
    join(fakes.dir, 'berth.yaml'),
    JSON.stringify({ version: 1, fleet: 'lab', audit: { figures: ['wrong.yaml'] } }),
  );
  expect(await found([])).toHaveLength(1);
  const missing = await berth(['audit', '--figures', 'none.yaml'], fakes.dir);
  expect(missing.code).not.toBe(0);
});

test('a report in the SARIF form names rules, levels, objects and what was suppressed', async () => {
  using fakes = createFakes();
  const kept = join(fakes.dir, 'seen.json');
  writeFileSync(kept, JSON.stringify(recording()));
  writeFileSync(
    join(fakes.dir, 'berth.yaml'),
    JSON.stringify({
      version: 1,
      fleet: 'lab',
      audit: { suppress: [{ rule: 'duplicate', reason: 'known' }] },
    }),
  );
  const { out, code } = await berth(['audit', '--from', kept, '--sarif'], fakes.dir);
  expect(code).toBe(8);
  const sarif = JSON.parse(out);
  expect(sarif.version).toBe('2.1.0');
  const [run] = sarif.runs;
  expect(run.tool.driver.rules.length).toBeGreaterThanOrEqual(30);
  for (const result of run.results) expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
  expect(run.results.map((one: { ruleId: string; level: string }) => [one.ruleId, one.level])).toEqual([
    ['open-without-key', 'warning'],
    ['duplicate', 'warning'],
  ]);
  expect(run.results[1].suppressions).toEqual([{ kind: 'external', justification: 'known' }]);
});

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
  replicas: 1
  selector: {matchLabels: {app: llamacpp-mistral}}
  template:
    metadata: {labels: {app: llamacpp-mistral}}
    spec:
      hostPID: true
      containers:
        - name: server
          image: ghcr.io/ggml-org/llama.cpp:server
          args: [-m, /models/mistral.gguf, --port, "8081", --threads, "8", -ngl, "35", --cache-ram, "0"]
          ports: [{containerPort: 8081}]
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

test('objects of Kubernetes are read from a file, and give just the faults that are in them', async () => {
  using fakes = createFakes();
  const kept = join(fakes.dir, 'seen.json');
  writeFileSync(kept, JSON.stringify({ ...healthyObservation(), clusters: [] }));
  writeFileSync(join(fakes.dir, 'objects.yaml'), objects);
  const words = ['audit', '--from', kept, '--objects', 'objects.yaml', '--json'];
  const report = AuditReport.parse(JSON.parse((await berth(words, fakes.dir)).out));
  expect(report.findings.map((one) => `${one.rule} ${one.object}`).toSorted()).toEqual([
    'gpu-layers-without-gpu Deployment llamacpp/llamacpp-mistral',
    'orphan-claim PersistentVolumeClaim llamacpp/kimi-models',
    'orphan-service Service llamacpp/llamacpp-kimi-vl',
    'rolling-image Deployment llamacpp/llamacpp-mistral',
    'shares-host Deployment llamacpp/llamacpp-mistral',
    'throttled-threads Deployment llamacpp/llamacpp-mistral',
  ]);
  const secrets = objects
    .replace('--cache-ram, "0"]', '--cache-ram, "0", --api-key, sk-plain]')
    .concat('---\nkind: Secret\nmetadata: {name: s}\nstringData: {key: sk-stored}\n');
  writeFileSync(join(fakes.dir, 'objects.yaml'), secrets);
  await berth([...words, '--record', 'kept.json'], fakes.dir);
  const recorded = readFileSync(join(fakes.dir, 'kept.json'), 'utf8');
  expect(recorded).toContain('llamacpp-kimi-vl');
  expect(recorded).not.toMatch(/sk-plain|sk-stored/);
  writeFileSync(join(fakes.dir, 'objects.yaml'), '{"kind": [');
  expect((await berth(words, fakes.dir)).code).toBe(2);
});
