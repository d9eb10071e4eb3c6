import { expect, test } from 'vitest';
import { add, door, set } from '../../test/support/change-observation.ts';
import type { Draft } from '../../test/support/change-observation.ts';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import type { Finding } from '../domain/finding.ts';
import { Observation } from '../domain/audit/observation.ts';
import type { ObservedHost } from '../domain/audit/observation.ts';
import { auditReport, findingsIn } from './audit.ts';
import { rules } from './rules/registry.ts';

const GiB = 1024 ** 3;
const server = 'hosts.0.servers';
const [kimi, mistral, qwen] = [`${server}.0`, `${server}.1`, `${server}.2`] as const;
const [unit, night] = ['hosts.0.units.0', 'hosts.0.units.1'] as const;
const [box, vllmBox, batch] = [
  'hosts.0.containers.0',
  'hosts.0.containers.1',
  'hosts.0.containers.2',
] as const;
const object = 'clusters.0.objects';
const template = `${object}.0.spec.template.spec`;
const engine = `${template}.containers.0`;
const status = `${object}.3.status.containerStatuses.0`;
const open = [{ address: '0.0.0.0', port: 18_401, netns: '4026531840', here: true }];
function drifted(by: string): unknown {
  return [
    {
      deployment: 'kimi',
      replica: 0,
      object: 'unit kimi',
      by,
      fields: [{ field: 'slots', from: '4', to: '2' }],
    },
  ];
}

/** One changed field each, by the rule that it breaks. */
const cases: Readonly<Record<string, readonly ((draft: Draft) => void)[]>> = {
  'exposed-tools': [
    set(`${mistral}.exposes`, ['--tools']),
    set(`${night}.starts.exposes`, ['--tools']),
    set(`${batch}.starts.exposes`, ['--tools']),
    set(`${engine}.args`, ['-m', '/m.gguf', '--port', '8081', '--cache-ram', '0', '--tools', 'all']),
  ],
  'secret-in-argv': [
    set(`${mistral}.command`, ['llama-server', '-m', '/srv/models/mistral.gguf', '--api-key', '***']),
    set(`${engine}.args`, ['-m', '/m.gguf', '--port', '8081', '--cache-ram', '0', '--api-key', '***']),
    set(`${mistral}.command`, ['sh', '-c', 'exec llama-server -m x --api_key ***']),
    set(`${night}.starts.command`, ['llama-server', '-m', 'x', '--api-key', '***']),
  ],
  'open-secret-file': [
    set(`${mistral}.openSecrets`, ['/etc/key']),
    set(`${night}.openSecrets`, ['/etc/llm.env']),
  ],
  'secret-in-environment': [
    set(`${box}.secretVariables`, ['HF_TOKEN']),
    set(`${unit}.secretVariables`, ['HF_TOKEN']),
    // Its container shows another one alone.
    (draft) => {
      set(`${night}.container`, 'box')(draft);
      set(`${night}.secretVariables`, ['LLAMA_API_KEY'])(draft);
    },
    set(`${engine}.env`, [{ name: 'HF_TOKEN', value: 'hf_x' }]),
  ],
  'open-without-key': [
    set(`${mistral}.endpoints`, open),
    set(`${vllmBox}.starts.keyed`, false),
    // A key that everybody knows.
    set(`${vllmBox}.starts.command`, ['vllm', 'serve', 'm', '--api-key', 'EMPTY']),
  ],
  privileged: [set(`${box}.privileged`, true), set(`${engine}.securityContext`, { privileged: true })],
  'shares-host': [
    set(`${box}.shares`, ['pid']),
    // A unit that starts this very container wants no other port than it.
    (draft) => {
      const starts = { port: 8080, model: '/srv/models/mistral.gguf' };
      set(`${box}.shares`, ['network'])(draft);
      set(`${night}.madeBy`, 'container-run')(draft);
      Object.entries(starts).forEach(([name, value]) => set(`${night}.starts.${name}`, value)(draft));
    },
    set(`${template}.hostPID`, true),
    set(`${template}.hostNetwork`, true),
  ],
  failed: [
    set(`${night}.active`, 'failed'),
    set(`${status}.state`, { waiting: { reason: 'CrashLoopBackOff' } }),
    set(`${status}.state`, { waiting: { reason: 'ImagePullBackOff' } }),
    set(`${status}.state`, { waiting: { reason: 'InvalidImageName' } }),
  ],
  'out-of-memory': [
    set(`${mistral}.memoryKills`, 1),
    set(`${night}.result`, 'oom-kill'),
    set(`${box}.outOfMemory`, true),
    set(`${status}.lastState`, { terminated: { reason: 'OOMKilled' } }),
  ],
  restarting: [set(`${unit}.restarts`, 5), set(`${box}.restarts`, 7), set(`${status}.restartCount`, 4)],
  'not-answering': [set(`${mistral}.state`, 'silent')],
  'not-running': [set('fleet.instances.1.alive', false), set('fleet.deployments.1.replicas', 2)],
  'host-unreachable': [
    set('fleet.unreachable', [{ host: 'a10', reason: 'no route to it.', cure: 'Start it.' }]),
  ],
  'port-held': [set(`${mistral}.wantedPort`, 18_400)],
  'port-conflict': [
    set(`${night}.starts.port`, 18_400),
    set(`${night}.starts.port`, 18_403),
    set(`${batch}.restartPolicy`, 'always'),
    set(`${box}.published.0.port`, 8000),
    set(`${vllmBox}.published`, [
      { address: '0.0.0.0', port: 8000, to: 8000 },
      { address: '127.0.0.1', port: 18_402, to: 8001 },
    ]),
  ],
  duplicate: [
    set(`${mistral}.modelId`, '1:18400'),
    // A second Deployment of what is served already.
    (draft) => {
      const text = JSON.stringify(draft.clusters[0]?.objects[4]);
      const renamed = text.replace('"name":"qwen"', '"name":"old"').replaceAll('"app":"qwen"', '"app":"old"');
      add(object, JSON.parse(renamed))(draft);
    },
  ],
  'gpu-shared': [set(`${mistral}.gpus`, [{ index: 0, memoryBytes: 0 }])],
  'gpu-idle': [set('hosts.0.hardware.gpus.3.memoryBytes', 24 * GiB)],
  'gpu-foreign': [set('hosts.0.hardware.gpus.0.processes.0.memoryBytes', 23 * GiB)],
  'gpu-layers-without-gpu': [
    set(`${engine}.image`, 'ghcr.io/ggml-org/llama.cpp:server-b6000'),
    set(`${engine}.resources.limits`, { cpu: '4', memory: '12Gi' }),
    set('hosts.0.hardware.gpus', []),
    set(`${batch}.starts.options.gpuLayers`, 99),
    (draft) => {
      set('hosts.0.gpuDevices', ['/dev/nvidia0'])(draft);
      set(`${box}.starts.options.gpuLayers`, 'all')(draft);
    },
  ],
  'model-over-memory': [set(`${mistral}.modelBytes`, 17 * GiB)],
  'prompt-cache-over-limit': [
    set(`${mistral}.options.cacheRam`, 20_000),
    set(`${mistral}.rssBytes`, 21 * GiB),
    set(`${engine}.args`, ['-m', '/models/m.gguf', '--port', '8081', '--cache-ram', '16384']),
    ...['1Gi', '1024Mi', GiB, '1000M'].map((limit) => set(`${engine}.resources.limits.memory`, limit)),
  ],
  'throttled-threads': [
    set(`${mistral}.quotaCores`, 2),
    // It takes a thread for each core of the machine.
    set(`${mistral}.options.threads`, undefined),
    ...['2', 2, '2000m'].map((limit) => set(`${engine}.resources.limits.cpu`, limit)),
  ],
  threads: [set('hosts.0.hardware.cpu.physicalCores', 6)],
  idle: [
    set(`${mistral}.told.tokens`, 0),
    // Counters that stood still from an earlier look to this one.
    add('uses', {
      host: 'local',
      pid: 18_401,
      by: 'engine',
      id: 'a process',
      count: 123_456,
      since: '2026-11-20T09:00:00.000Z',
    }),
  ],
  drift: [set('fleet.drift', drifted('file')), set('fleet.drift', drifted('somebody'))],
  'not-in-file': [set('fleet.instances.1.replica', 3)],
  'runs-otherwise': [set(`${unit}.starts.options`, { slots: 2 })],
  'unit-not-reloaded': [set(`${unit}.needsReload`, true)],
  'context-reduced': [set(`${kimi}.told.context`, 2048), set(`${qwen}.told.context`, 8192)],
  'slots-differ': [set(`${kimi}.told.slots`, 2)],
  'ignored-variable': [
    set(`${mistral}.ignored`, [{ name: 'LLAMA_ARG_MLOCK', meant: 'LLAMA_ARG_LOAD_MODE' }]),
    set(`${engine}.env`, [{ name: 'LLAMA_ARG_CTX_SIZ', value: '4096' }]),
  ],
  'version-behind': [set(`${mistral}.version`, 'b5000-abcdef')],
  unmanaged: [set(`${qwen}.mark`, null)],
  'rolling-image': [
    set(`${vllmBox}.image`, 'vllm/vllm-openai:latest'),
    set(`${vllmBox}.image`, 'registry:5000/vllm-openai'),
    set(`${engine}.image`, 'ghcr.io/ggml-org/llama.cpp:server-cuda'),
  ],
  'missing-shm': [
    set(`${vllmBox}.shmBytes`, 64 * 1024 ** 2),
    set(`${object}.4.spec.template.spec.containers.0.volumeMounts`, []),
  ],
  'health-check-port': [set(`${box}.starts.port`, 8081)],
  'orphan-unit': [set(`${night}.enabled`, false)],
  'orphan-container': [set(`${batch}.marked`, false)],
  'orphan-model-file': [
    add('hosts.0.modelFiles', { path: '/srv/models/old.gguf', id: '1:9', bytes: 7 * GiB }),
  ],
  'tls-off': [
    set(`${kimi}.endpoints.0.address`, '0.0.0.0'),
    set('fleet.gateway.listen.0', '0.0.0.0:8484'),
    set('fleet.gateway.listen.0', '[::]:8484'),
  ],
  'rate-above-measured': [set('fleet.deployments.0.rps', 1000), set('fleet.measured.0.tpotMs', 200)],
  'contradicted-figure': [set('figures.0.verdict', 'contradicted')],
  'outdated-flag': [
    add(`${mistral}.command`, '--draft-max'),
    add(`${qwen}.command`, '--speculative-model=x'),
    add(`${night}.starts.command`, '--webui-config'),
    add(`${batch}.starts.command`, '--draft-min'),
    add(`${engine}.args`, '--draft-max'),
  ],
  'selector-mismatch': [set(`${object}.5.spec.selector`, { app: 'qwen', tier: 'gpu' })],
  'target-port': [
    set(`${object}.1.spec.ports.0.targetPort`, 'web'),
    set(`${object}.1.spec.ports.0.targetPort`, 8080),
    set(`${object}.1.spec.ports.0.targetPort`, '8080'),
    set(`${object}.1.spec.ports.0.targetPort`, null),
    set(`${object}.5.spec.ports.0.targetPort`, 'api'),
  ],
  'orphan-service': [
    add(object, {
      kind: 'Service',
      metadata: { name: 'llamacpp-kimi-vl', namespace: 'llm' },
      spec: { selector: { app: 'llamacpp-kimi-vl' } },
    }),
  ],
  'missing-service': [
    set(`${object}.8.spec.rules`, [{ http: { paths: [{ backend: { service: { name: 'gone' } } }] } }]),
    set(`${object}.8`, door('Ingress', { backend: { serviceName: 'gone', servicePort: 80 } })),
    set(`${object}.8`, door('Route', { to: { kind: 'Service', name: 'gone' } })),
    set(`${object}.8`, door('HTTPRoute', { rules: [{ backendRefs: [{ name: 'gone', port: 80 }] }] })),
  ],
  'orphan-claim': [
    set(`${template}.volumes`, []),
    set(`${object}.10.spec.predictor.model.storageUri`, 's3://models/granite'),
  ],
  'probe-missing': [set(`${engine}.readinessProbe`, null)],
  'probe-wrong': [
    set(`${engine}.readinessProbe.httpGet.port`, 8080),
    set(`${engine}.readinessProbe.httpGet.path`, '/healthz'),
    set(`${engine}.readinessProbe.httpGet.port`, '8080'),
    set(`${engine}.readinessProbe.httpGet.port`, 'web'),
  ],
  'startup-short': [set(`${engine}.startupProbe`, null)],
  'service-links': [set(`${object}.5.metadata.name`, 'vllm')],
  'unknown-annotation': [
    set(`${object}.10.metadata.annotations`, { 'serving.kserve.io/deploymentmode ': 'x' }),
    set(`${object}.10.metadata.annotations`, { 'serving.kserve.io/deploymntMode': 'RawDeployment' }),
    set(`${object}.10.metadata.labels`, { 'opendatahub.io/dashbord': 'true' }),
    set(`${object}.10.metadata.annotations`, { 'prometheus.io/scrap': 'true' }),
    set(`${object}.10.metadata.annotations`, { 'serving.kserve.io/deploymentMode': 'RawDeploymnt' }),
  ],
  'service-not-ready': [10, 12].map((at) =>
    set(`${object}.${at}.status`, {
      conditions: [{ type: 'Ready', status: 'False', reason: 'NoRuntime', message: 'no runtime fits' }],
    }),
  ),
  'unused-runtime': [set(`${object}.10.spec.predictor.model.runtime`, 'another')],
};

test('a machine and a cluster on which all is well give no finding', () => {
  expect(findingsIn(healthyObservation())).toEqual([]);
});

test('a server of a pod that is seen as a process and as an object counts once', () => {
  const draft = healthyObservation();
  const before = auditReport(draft, []).servers;
  const pod = draft.clusters[0]?.objects[3];
  Object.assign(pod?.['metadata'] ?? {}, { uid: 'pod-1' });
  const process = { bootId: 'b', pid: 99, startTicks: 1 };
  const server = {
    ...draft.hosts[0]?.servers[1],
    process,
    owner: { kind: 'pod', name: 'pod-1', user: 'root' },
  };
  draft.hosts[0]?.servers.push(server as ObservedHost['servers'][number]);
  expect(auditReport(Observation.parse(draft), []).servers).toBe(before);
});

test('what a fault costs in money is told where the file has the price of its host', () => {
  function costs(change: (draft: Draft) => void): Finding['cost'] {
    const draft = healthyObservation();
    change(draft);
    return findingsIn(Observation.parse(draft))[0]?.cost;
  }
  // 20 of 74 GiB of GPUs, for 2 dollars an hour.
  expect(costs(set(`${kimi}.told.tokens`, 0))).toEqual({
    memoryBytes: 6 * GiB,
    gpuBytes: 20 * GiB,
    usdPerMonth: 394.86,
  });
  const file = { path: '/srv/models/old.gguf', id: '1:9', bytes: 7 * GiB };
  expect(costs(add('hosts.0.modelFiles', file))).toEqual({ diskBytes: 7 * GiB, usdPerMonth: 0.7 });
  expect(costs(set(`${mistral}.told.tokens`, 0))).toEqual({ memoryBytes: 6 * GiB });
});

test('what is wrong with objects of a cluster that have nothing to do with models is not told', () => {
  const draft = healthyObservation();
  const metadata = { name: 'shop', namespace: 'shop' };
  draft.clusters[0]?.objects.push(
    { kind: 'Service', metadata, spec: { selector: { app: 'gone' } } },
    { kind: 'PersistentVolumeClaim', metadata, spec: {} },
    {
      kind: 'Ingress',
      metadata,
      spec: { rules: [{ http: { paths: [{ backend: { service: { name: 'no' } } }] } }] },
    },
    {
      kind: 'Pod',
      metadata,
      spec: { containers: [{ name: 'web', image: 'nginx:latest' }] },
      status: {
        containerStatuses: [
          { name: 'web', restartCount: 90, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
      },
    },
  );
  expect(findingsIn(draft)).toEqual([]);
});

test('every rule is tried, and nothing else', () => {
  expect(Object.keys(cases).toSorted()).toEqual(rules.map((rule) => rule.id).toSorted());
  expect(new Set(rules.map((rule) => rule.id)).size).toBe(rules.length);
});

for (const [id, changes] of Object.entries(cases)) {
  for (const [at, change] of changes.entries()) {
    test(`${id} is found by its rule, and every other rule is silent (${at + 1})`, () => {
      const draft = healthyObservation();
      change(draft);
      const found = findingsIn(Observation.parse(draft));
      expect(found.map((one) => `${one.rule}: ${one.message}`)).toHaveLength(1);
      const [finding] = found;
      expect(finding?.rule).toBe(id);
      expect(finding?.evidence.length).toBeGreaterThan(0);
      expect(finding?.cure).toMatch(/\.|:/);
    });
  }
}

test('a token of the Hub has a cure that its engine knows: llama-server reads it from no file', () => {
  const draft = healthyObservation();
  set(`${mistral}.command`, ['llama-server', '-hf', 'a/b', '--hf-token', '***'])(draft);
  for (const one of [box, vllmBox]) set(`${one}.secretVariables`, ['HF_TOKEN'])(draft);
  const cures = findingsIn(Observation.parse(draft)).map(({ object, cure }) => [object, cure]);
  expect(cures).toHaveLength(3);
  for (const [object, cure] of cures)
    expect(cure, object).toContain(object === 'container qwen' ? 'by HF_TOKEN_PATH' : 'by "berth pull"');
});

test.each<[string, (draft: Draft) => void]>([
  [
    'a unit whose port stands in a variable or in a file of its own',
    (draft) => {
      set(`${night}.starts.port`, null)(draft);
      set(`${night}.starts.command`, ['llama-server', '-m', 'x', '--port', '$PORT'])(draft);
      set(`${batch}.published.0.port`, 8080)(draft);
      set(`${batch}.restartPolicy`, 'always')(draft);
    },
  ],
  [
    'a program of a desktop that serves nothing yet',
    (draft) => {
      set(`${mistral}.engine`, 'lm-studio')(draft);
      set(`${mistral}.endpoints`, [])(draft);
      set(`${mistral}.state`, 'silent')(draft);
      set(`${mistral}.mark`, null)(draft);
      set(`${mistral}.owner`, { kind: 'session', name: 'desktop session', user: 'me' })(draft);
      set(`${mistral}.told.tokens`, 0)(draft);
    },
  ],
  [
    'a container that is published on loopback, and one with a key',
    (draft) => {
      set(`${vllmBox}.starts.keyed`, false)(draft);
      set(`${vllmBox}.published.0.address`, '127.0.0.1')(draft);
      set(`${box}.published.0.address`, '0.0.0.0')(draft);
      set(`${box}.starts.keyed`, true)(draft);
      set(`${box}.starts.command`, ['llama-server', '-m', 'x', '--api-key', '$KEY'])(draft);
    },
  ],
])('nothing is said of %s', (_what, change) => {
  const draft = healthyObservation();
  change(draft);
  expect(findingsIn(draft)).toEqual([]);
});
