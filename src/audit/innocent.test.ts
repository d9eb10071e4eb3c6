import { expect, test } from 'vitest';
import { add, door, set } from '../../test/support/change-observation.ts';
import type { Draft } from '../../test/support/change-observation.ts';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import { Observation } from '../domain/audit/observation.ts';
import { findingsIn } from './audit.ts';

const GiB = 1024 ** 3;
const [kimi, mistral, qwen] = ['hosts.0.servers.0', 'hosts.0.servers.1', 'hosts.0.servers.2'] as const;
const [unit, night] = ['hosts.0.units.0', 'hosts.0.units.1'] as const;
const batch = 'hosts.0.containers.2';
const object = 'clusters.0.objects';
const template = `${object}.0.spec.template.spec`;
const engine = `${template}.containers.0`;

const limits = { cpu: '4', memory: '12Gi' };

const router = {
  engine: 'llama-router',
  model: null,
  host: '127.0.0.1',
  port: 18_402,
  options: { modelsDir: '/srv/models/' },
  keyed: false,
  exposes: [],
  command: ['llama-server', '--models-dir', '/srv/models/'],
};

/** The same field with one value after the other. */
function oneEach(what: string, path: string, values: readonly unknown[]): typeof innocent {
  return Object.fromEntries(values.map((value) => [`${what}: ${JSON.stringify(value)}`, [set(path, value)]]));
}

/** What looks like a fault and is none. */
const innocent: Readonly<Record<string, readonly ((draft: Draft) => void)[]>> = {
  'objects of a cluster in another order': [(draft) => draft.clusters[0]?.objects.reverse()],
  ...oneEach('a limit of memory written otherwise', `${engine}.resources.limits.memory`, [
    '12288Mi',
    String(12 * GiB),
    12 * GiB,
    '12G',
    '12e9',
    '12E9',
    '12884901888000m',
  ]),
  ...oneEach('a limit of cores written otherwise', `${engine}.resources.limits.cpu`, [
    4,
    '4',
    '4.0',
    '4000m',
  ]),
  ...oneEach('a GPU given in another way', `${engine}.resources`, [
    { limits: { ...limits, 'nvidia.com/gpu': 1 } },
    { limits: { ...limits, 'nvidia.com/mig-1g.10gb': '1' } },
    { limits: { ...limits, 'nvidia.com/gpu.shared': '1' } },
    { limits: { ...limits, 'gpu.intel.com/i915': '1' } },
    { limits: { ...limits, 'aliyun.com/gpu-mem': '8' } },
    { limits, claims: [{ name: 'gpu' }] },
  ]),
  'a GPU given by a class of runtimes': [
    set(`${engine}.resources.limits`, limits),
    set(`${template}.runtimeClassName`, 'nvidia'),
  ],
  ...oneEach('a port of a probe written otherwise', `${engine}.readinessProbe.httpGet.port`, [8081, '8081']),
  ...oneEach('a path that llama-server has', `${engine}.readinessProbe.httpGet.path`, [
    'health',
    '/v1/health',
    '/health?x=1',
    '/v1/models',
  ]),
  'a path behind a prefix': [
    add(`${engine}.args`, '--api-prefix=/chat/'),
    ...['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) =>
      set(`${engine}.${probe}.httpGet.path`, '/chat/health'),
    ),
  ],
  ...oneEach('a probe of another kind', `${engine}.readinessProbe`, [
    { tcpSocket: { port: 8081 } },
    { exec: { command: ['curl', 'localhost:8081/health'] } },
  ]),
  'a port that a variable says': [
    set(`${engine}.args`, ['-m', '/m.gguf', '--port', '$(PORT)', '-ngl', '35', '--cache-ram', '1024']),
    add(`${engine}.env`, { name: 'PORT', value: '8081' }),
  ],
  'a server in the text of a shell': [
    set(`${engine}.command`, ['/bin/sh', '-c']),
    set(`${engine}.args`, ['exec /app/llama-server -m /m.gguf --port $PORT -t 4 --cache-ram 1024']),
    add(`${engine}.env`, { name: 'PORT', value: '8081' }),
  ],
  'an Ollama at its own port': [
    set(`${engine}.image`, 'ollama/ollama:0.12.3'),
    set(`${engine}.args`, null),
    ...['startupProbe', 'readinessProbe', 'livenessProbe'].map((probe) =>
      set(`${engine}.${probe}.httpGet`, { path: '/', port: 11_434 }),
    ),
  ],
  'a server whose port stands in its configuration': [
    set(`${object}.4.spec.template.spec.containers.0.args`, ['--config', '/etc/vllm.yaml', '--model', 'a/b']),
    set(`${object}.4.spec.template.spec.containers.0.readinessProbe.httpGet.port`, 9000),
  ],
  'a key that an argument only names': [
    set(`${object}.4.spec.template.spec.containers.0.env`, [
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'x', key: 'k' } } },
    ]),
    add(`${object}.4.spec.template.spec.containers.0.args`, '--api-key=$(KEY)'),
  ],
  ...oneEach('a word in place of a key', `${mistral}.command`, [
    ['llama-server', '-m', '/m.gguf', '--api-key', 'EMPTY'],
    ['vllm', 'serve', 'org/m', '--api-key=none'],
    ['sh', '-c', 'vllm serve org/m --api-key not-needed --port 8000'],
  ]),
  ...oneEach('a door to no Service of its own namespace', `${object}.8`, [
    door('Ingress', { defaultBackend: { resource: { kind: 'Bucket', name: 'files' } } }),
    door('Ingress', {
      rules: [{ http: { paths: [{ backend: { serviceName: 'mistral', servicePort: 80 } }] } }],
    }),
    door('HTTPRoute', { rules: [{ backendRefs: [{ name: 'gone', namespace: 'other', kind: 'Service' }] }] }),
    door('HTTPRoute', {
      rules: [{ backendRefs: [{ name: 'pool', kind: 'InferencePool', group: 'x.k8s.io' }] }],
    }),
  ]),
  'a runtime that is found by the format of a model': [
    set(`${object}.10.spec.predictor.model`, {
      modelFormat: { name: 'huggingface' },
      storageUri: 'pvc://granite/model',
    }),
  ],
  'a model that a variable of a unit names': [
    set(`${night}.starts.model`, '/srv/models/night.gguf'),
    add('hosts.0.modelFiles', { path: '/srv/models/night.gguf', id: '1:9', bytes: 7 * GiB }),
  ],
  'models in the folder of a router': [
    set(`${night}.starts`, router),
    add('hosts.0.modelFiles', { path: '/srv/models/old.gguf', id: '1:9', bytes: 7 * GiB }),
  ],
  'models that may stand in the file of llama-swap': [
    set(`${night}.starts`, { ...router, engine: 'llama-swap', options: {} }),
    add('hosts.0.modelFiles', { path: '/srv/models/old.gguf', id: '1:9', bytes: 7 * GiB }),
  ],
  'a vLLM that began a moment ago and does not listen yet': [
    set(`${qwen}.state`, 'silent'),
    set(`${qwen}.endpoints`, []),
    set(`${qwen}.startedAt`, '2026-11-28T08:57:00.000Z'),
  ],
  'layers on GPUs of other machines': [
    set('hosts.0.hardware.gpus', []),
    set(`${mistral}.options.gpuLayers`, 99),
    set(`${mistral}.command`, ['llama-server', '-m', '/srv/models/mistral.gguf', '--rpc', '10.0.0.2:50052']),
    set(`${kimi}.options.gpuLayers`, 0),
    set(`${unit}.starts.options.gpuLayers`, 0),
  ],
  "what a unit's variables set, where rights hide those of its process": [
    set(`${unit}.starts.options.batch`, 512),
    set(`${kimi}.netns`, null),
  ],
  'one model that one server embeds with and another answers with': [
    set(`${mistral}.modelId`, '1:18400'),
    set(`${mistral}.options.embeddings`, true),
  ],
  'a unit on the port of another, which nothing starts': [
    set(`${night}.enabled`, null),
    set(`${night}.starts.port`, 18_400),
  ],
  ...oneEach('a container that somebody has stopped, on the port of another', `${batch}.restartPolicy`, [
    'no',
    'unless-stopped',
    'on-failure',
  ]),
  'a container that has ended, and that a unit starts': [
    set(`${batch}.marked`, false),
    set(`${night}.container`, 'batch'),
  ],
  'one port at two addresses': [
    set(`${batch}.restartPolicy`, 'always'),
    set(`${batch}.published.0.address`, '192.0.2.1'),
  ],
  'a unit whose container publishes its port': [
    set(`${night}.starts.port`, 18_403),
    set(`${night}.madeBy`, 'container-run'),
    set(`${night}.container`, 'mistral'),
  ],
  'a container of the fleet that its daemon calls unhealthy, while its server answers': [
    set('hosts.0.containers.1.health', 'unhealthy'),
    set('hosts.0.containers.1.ignored', [{ name: 'VLLM_PORTS', meant: 'VLLM_PORT' }]),
  ],
  'an unhealthy container whose server answers, beside a unit that starts the same': [
    set(`${batch}.state`, 'running'),
    set(`${batch}.marked`, false),
    set(`${batch}.published`, []),
    set(`${batch}.health`, 'unhealthy'),
    set(`${batch}.id`, 'beef'.padEnd(64, '0')),
    set(`${batch}.starts.command`, ['llama-server', '-m', '/srv/models/mistral.gguf']),
    (draft) => {
      const host = draft.hosts[0];
      const seen = host?.servers[1];
      if (!host || !seen) throw new Error('The server of mistral is gone.');
      const command = ['llama-server', '-m', '/srv/models/mistral.gguf'];
      const own = { ...seen, modelId: null, mark: null, wantedPort: null, command, endpoints: [] };
      // Of the container, which answers; and of a unit, which cannot be asked.
      host.servers.push({
        ...own,
        process: { ...own.process, pid: 9 },
        owner: { kind: 'container', name: 'docker beef00000000', user: 'root' },
      });
      host.servers.unshift({
        ...own,
        process: { ...own.process, pid: 8 },
        state: 'unknown',
        owner: { kind: 'system-unit', name: 'other.service', user: 'root' },
      });
      if (draft.fleet)
        Object.assign(draft.fleet, {
          reached: [8, 9].map((pid) => ({ host: 'local', pid, deployment: 'mistral' })),
        });
    },
  ],
  'a container that a unit of podman keeps, on the port of that unit': [
    set(`${night}.starts.port`, 18_403),
    set(`${night}.madeBy`, 'quadlet'),
    set('hosts.0.containers.0.managedBy', 'unit night.service'),
  ],
};

for (const [what, changes] of Object.entries(innocent))
  test(`${what}: no finding`, () => {
    const draft = healthyObservation();
    for (const change of changes) change(draft);
    expect(findingsIn(Observation.parse(draft))).toEqual([]);
  });
