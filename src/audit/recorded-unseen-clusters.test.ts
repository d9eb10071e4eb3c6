import {
  claim,
  custom,
  deployment,
  object,
  ownedBy,
  pod,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';
import type { Thing } from '../../test/support/cluster-cases.ts';

const going = { metadata: { deletionTimestamp: '2026-11-28T08:00:00Z' } };
const hub = {
  predictor: { model: { modelFormat: { name: 'vLLM' }, runtime: 'rt', storageUri: 'hf://o/m' } },
};

function ollama(probe: Thing): Thing[] {
  const container = {
    name: 'o',
    image: 'ollama/ollama:0.12.3',
    ports: [{ name: 'http', containerPort: 11_434 }],
    readinessProbe: { httpGet: { port: 11_434, ...probe } },
    resources: { limits: { 'nvidia.com/gpu': 1 } },
  };
  return [deployment('m', [container]), service('m')];
}

function marked(annotations: Thing): Thing[] {
  const { metadata, ...rest } = template([vllm()], {}, { app: 'm' });
  return [
    deployment(
      'm',
      [vllm()],
      {},
      { template: { metadata: { ...(metadata as Thing), annotations }, ...rest } },
    ),
    service('m'),
  ];
}

/** Of pods whose annotation nothing reads. */
function misspelt(containers: readonly Thing[]): Thing {
  const { metadata, ...rest } = template(containers);
  return { metadata: { ...(metadata as Thing), annotations: { 'prometheus.io/scrap': 'true' } }, ...rest };
}

function half(name: string, role: string): Thing[] {
  const transfer = JSON.stringify({ kv_connector: 'NixlConnector', kv_role: role });
  const args = ['--model', 'org/m', '--port', '8000', '--kv-transfer-config', transfer];
  return [deployment(name, [vllm({ args })]), service(name)];
}

/** A pod that a node has taken at this time, and of which nothing more is told. */
function taken(startTime: string, phase: string, state: Thing, more: Thing = {}): Thing {
  const { ready = 'False', ...others } = more;
  const conditions =
    phase === 'Running' || more['ready']
      ? [{ type: 'Ready', status: ready }]
      : [{ type: 'PodScheduled', status: 'True' }];
  const containerStatuses = [{ name: 'vllm', ready: false, restartCount: 0, state, ...others }];
  return pod('m-6f-x', { phase, startTime, conditions, containerStatuses });
}

const making = { waiting: { reason: 'ContainerCreating' } };

/** A vLLM in the text of a shell, with these words, whose readiness is asked so. */
function inShell(words: string, scheme: string): Thing[] {
  const given = {
    command: ['sh', '-c'],
    args: [`exec vllm serve org/m --port 8000 ${words}`],
    startupProbe: { tcpSocket: { port: 8000 }, periodSeconds: 5, failureThreshold: 360 },
    readinessProbe: { httpGet: { path: '/health', port: 8000, scheme } },
    livenessProbe: { tcpSocket: { port: 8000 } },
  };
  return [deployment('m', [vllm(given)]), service('m')];
}

function runtime(name: string, more: Thing = {}, meta: Thing = {}): Thing {
  const containers = [vllm({ name: 'kserve-container', args: ['--model', '/mnt/models', '--port', '8000'] })];
  const spec = { supportedModelFormats: [{ name: 'vLLM' }], containers, ...more };
  return custom('serving.kserve.io/v1alpha1', 'ServingRuntime', name, spec, meta);
}

function kserve(more: Thing = {}): Thing {
  const spec = { predictor: { ...hub.predictor, ...more } };
  return custom('serving.kserve.io/v1beta1', 'InferenceService', 'x', spec);
}

tryClusters([
  // What is being taken away.
  { what: 'a claim that nobody names, on its way out', objects: [...whole, claim('w', going)], found: [] },
  { what: 'a claim that nobody names', objects: [...whole, claim('w')], found: ['orphan-claim w'] },
  {
    what: 'a service of nothing, on its way out',
    objects: [...whole, object('Service', 'old', { clusterIP: '10.0.0.2', selector: { app: 'x' } }, going)],
    found: [],
  },
  {
    what: 'a runtime that nobody names, on its way out',
    objects: [kserve(), runtime('rt'), runtime('old', {}, going)],
    found: [],
  },
  // How long a pod has been coming, where its conditions do not tell.
  {
    what: 'a pod that is not made for two hours',
    objects: [...whole, taken('2026-11-28T07:00:00Z', 'Pending', making)],
    found: ['failed m-6f-x'],
  },
  {
    what: 'a pod that is made since a minute',
    objects: [...whole, taken('2026-11-28T08:59:00Z', 'Pending', making)],
    found: [],
  },
  {
    what: 'a pod that runs and is not ready for two hours',
    objects: [...whole, taken('2026-11-28T07:00:00Z', 'Running', { running: {} })],
    found: ['not-answering m-6f-x'],
  },
  {
    what: 'a pod that runs and is not ready for a minute',
    objects: [...whole, taken('2026-11-28T08:59:00Z', 'Running', { running: {} })],
    found: [],
  },
  {
    what: 'a pod that is not ready, whose containers have ended before',
    objects: [
      ...whole,
      taken(
        '2026-11-20T07:00:00Z',
        'Running',
        { running: {} },
        { lastState: { terminated: { reason: 'Completed' } } },
      ),
    ],
    found: [],
  },
  {
    what: 'a pod that is not ready, one container of which was started again',
    objects: [
      ...whole,
      pod('m-6f-x', {
        phase: 'Running',
        startTime: '2026-11-20T07:00:00Z',
        conditions: [{ type: 'Ready', status: 'False' }],
        containerStatuses: [
          { name: 'vllm', ready: false, restartCount: 0, state: { running: {} } },
          { name: 'proxy', ready: true, restartCount: 1, state: { running: {} } },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'a pod that was coming on a node that is lost',
    objects: [...whole, taken('2026-11-28T07:00:00Z', 'Pending', making, { ready: 'Unknown' })],
    found: [],
  },
  // Labels that only controllers give.
  {
    what: 'a stable Service of a Rollout whose ReplicaSets are not shown',
    objects: [
      custom('argoproj.io/v1alpha1', 'Rollout', 'm', {
        replicas: 1,
        selector: { matchLabels: { app: 'm' } },
        template: template([vllm()]),
      }),
      service('m', { selector: { app: 'm', 'rollouts-pod-template-hash': '6f' } }),
    ],
    found: [],
  },
  {
    what: 'a Service for one pod of a StatefulSet',
    objects: [
      object('StatefulSet', 'm', {
        replicas: 2,
        serviceName: 'm',
        selector: { matchLabels: { app: 'm' } },
        template: template([vllm()]),
      }),
      service('m', { clusterIP: 'None' }),
      service('m-1', { selector: { 'apps.kubernetes.io/pod-index': '1', app: 'm' } }),
    ],
    found: [],
  },
  // Paths of Ollama.
  { what: 'a path that Ollama lacks', objects: ollama({ path: '/health' }), found: ['probe-wrong m'] },
  { what: 'its version', objects: ollama({ path: '/api/version' }), found: [] },
  { what: 'its root', objects: ollama({}), found: [] },
  { what: 'Ollama over TLS', objects: ollama({ path: '/', scheme: 'HTTPS' }), found: ['probe-wrong m'] },
  // Annotations of what is made, and of what makes it.
  {
    what: 'a misspelt annotation of the pods of a Deployment',
    objects: marked({ 'prometheus.io/scrap': 'true', 'prometheus.io/port': '8000' }),
    found: ['unknown-annotation m'],
  },
  {
    what: 'annotations of its pods as they are',
    objects: marked({ 'prometheus.io/scrape': 'true', 'prometheus.io/scheme': 'http', 'acme.io/scrap': 'x' }),
    found: [],
  },
  {
    what: 'a misspelt annotation, and the pod that has it from there',
    objects: [
      ...marked({ 'prometheus.io/scrap': 'true' }),
      pod('m-6f-x', { phase: 'Running' }, { annotations: { 'prometheus.io/scrap': 'true' } }),
    ],
    found: ['unknown-annotation m'],
  },
  {
    what: 'a misspelt annotation of what a controller made',
    objects: [
      ...whole,
      object(
        'ConfigMap',
        'llm',
        {},
        {
          metadata: {
            ...ownedBy('InferenceService', 'x'),
            labels: { 'networking.kserve.io/visibilty': 'exposed' },
          },
        },
      ),
    ],
    found: [],
  },
  {
    what: 'a misspelt annotation of a predictor',
    objects: [kserve({ annotations: { 'serving.kserve.io/autoscalerClas': 'hpa' } }), runtime('rt')],
    found: ['unknown-annotation x'],
  },
  {
    what: 'a misspelt annotation that a runtime gives its pods',
    objects: [kserve(), runtime('rt', { annotations: { 'prometheus.io/prot': '8000' } })],
    found: ['unknown-annotation rt'],
  },
  ...['transformer', 'explainer'].map((part) => ({
    what: `a misspelt annotation of ${part === 'explainer' ? 'an' : 'a'} ${part}`,
    objects: [
      custom('serving.kserve.io/v1beta1', 'InferenceService', 'x', {
        ...hub,
        [part]: { containers: [], labels: { 'networking.kserve.io/visibilty': 'exposed' } },
      }),
      runtime('rt'),
    ],
    found: ['unknown-annotation x'],
  })),
  {
    what: 'a misspelt annotation of the pods of a CronJob',
    objects: [
      ...whole,
      object('CronJob', 'vllm-bench', {
        schedule: '0 3 * * *',
        jobTemplate: { spec: { template: misspelt([{ name: 'b', image: 'acme/bench:1' }]) } },
      }),
    ],
    found: ['unknown-annotation vllm-bench'],
  },
  {
    what: 'a misspelt annotation of the leader of a LeaderWorkerSet',
    objects: [
      custom('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', 'm', {
        replicas: 1,
        leaderWorkerTemplate: { size: 2, leaderTemplate: misspelt([vllm()]), workerTemplate: template([]) },
      }),
      service('m'),
    ],
    found: ['unknown-annotation m'],
  },
  {
    what: 'a mode that KServe does not know, of a service that something else made',
    objects: [
      custom('serving.kserve.io/v1beta1', 'InferenceService', 'x', hub, {
        metadata: {
          ...ownedBy('Application', 'a'),
          annotations: { 'serving.kserve.io/deploymentMode': 'Raw' },
        },
      }),
      runtime('rt'),
    ],
    found: ['unknown-annotation x'],
  },
  {
    what: 'a mode that KServe does not know, on what it made of the service too',
    objects: [
      ...whole,
      object(
        'Deployment',
        'x-predictor',
        {},
        {
          metadata: {
            ...ownedBy('InferenceService', 'x'),
            annotations: { 'serving.kserve.io/deploymentMode': 'Raw' },
          },
        },
      ),
    ],
    found: [],
  },
  // One model in several workloads.
  {
    what: 'one half that reads prompts, and one that answers',
    objects: [...half('p', 'kv_producer'), ...half('d', 'kv_consumer')],
    found: [],
  },
  {
    what: 'one model by a StatefulSet, too',
    objects: [
      ...whole,
      object('StatefulSet', 'n', {
        replicas: 1,
        serviceName: 'n',
        selector: { matchLabels: { app: 'n' } },
        template: template([vllm()], {}, { app: 'n' }),
      }),
      service('n', { clusterIP: 'None' }),
    ],
    found: ['duplicate n'],
  },
  // What a shell puts together.
  {
    what: 'a key that a shell exports, and a probe of the models',
    objects: [
      deployment('m', [
        vllm({
          command: ['sh', '-c'],
          args: ['export VLLM_API_KEY=$(cat /k); exec vllm serve org/m --port 8000'],
          readinessProbe: { httpGet: { path: '/v1/models', port: 8000 } },
        }),
      ]),
      service('m'),
    ],
    found: ['probe-wrong m'],
  },
  {
    what: 'two GPUs in an array of a shell, and little shared memory',
    objects: [
      deployment('m', [
        vllm({
          command: ['bash', '-c'],
          args: ['A=(--port 8000 -tp 2)\nexec vllm serve org/m "${A[@]}"'],
          resources: { limits: { 'nvidia.com/gpu': 2 } },
        }),
      ]),
      service('m'),
    ],
    found: ['missing-shm m'],
  },
  {
    what: 'a certificate in the text of a shell, asked by https',
    objects: inShell('--ssl-keyfile /k --ssl-certfile /c', 'HTTPS'),
    found: [],
  },
  {
    what: 'a certificate in the text of a shell, asked by http',
    objects: inShell('--ssl-keyfile /k --ssl-certfile /c', 'HTTP'),
    found: ['probe-wrong m'],
  },
  {
    what: 'no certificate in the text of a shell, asked by https',
    objects: inShell('', 'HTTPS'),
    found: ['probe-wrong m'],
  },
  ...[
    { since: '2026-11-28T07:00:00Z', found: ['service-not-ready x'] },
    { since: '2026-11-28T08:30:00Z', found: [] },
    { since: undefined, found: [] },
  ].map(({ since, found }) => ({
    what: `a service that KServe knows nothing of since ${since ?? 'who knows when'}`,
    objects: [
      {
        ...kserve(),
        status: { conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime: since }] },
      },
      runtime('rt'),
    ],
    found,
  })),
]);
