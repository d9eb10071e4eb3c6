import {
  get,
  tryClusters,
  vllm,
  llama,
  object,
  template,
  deployment,
  service,
  pod,
  ownedBy,
} from '../../test/support/cluster-cases.ts';

/** The Deployment of a revision; that of the first has no pods any more. */
function revision(
  name: string,
  number: number,
  more: Record<string, string> = {},
): ReturnType<typeof object> {
  const revised = `${name}-predictor-0000${number}`;
  const labels = {
    'serving.knative.dev/service': `${name}-predictor`,
    'serving.knative.dev/revision': revised,
  };
  const engine = vllm({ securityContext: { privileged: true } });
  return object(
    'Deployment',
    `${revised}-deployment`,
    { replicas: number - 1, template: template([engine], {}, { app: revised }) },
    { metadata: { ...ownedBy('Revision', revised), labels: { ...labels, ...more } } },
  );
}

tryClusters([
  {
    what: 'a DaemonSet with a hostPath of the GPU',
    objects: [
      object('DaemonSet', 'm', {
        template: template(
          [
            llama({
              image: 'ghcr.io/ggml-org/llama.cpp:server-vulkan-b6000',
              args: ['-m', '/a.gguf', '--port', '8000', '-ngl', '99'],
              resources: {},
              volumeMounts: [{ name: 'dri', mountPath: '/dev/dri' }],
            }),
          ],
          {
            volumes: [{ name: 'dri', hostPath: { path: '/dev/dri' } }],
          },
        ),
      }),
    ],
    found: [],
  },
  {
    what: 'a LeaderWorkerSet with a secret in its template',
    objects: [
      object('LeaderWorkerSet', 'm', {
        leaderWorkerTemplate: {
          workerTemplate: template([vllm({ env: [{ name: 'HF_TOKEN', value: 'hf_x' }] })]),
        },
      }),
    ],
    found: ['secret-in-environment m'],
  },
  {
    what: 'workers that compute for a leader have no port',
    objects: [
      deployment('m', [
        vllm({
          args: ['--model', 'org/m', '--headless'],
          startupProbe: null,
          readinessProbe: null,
          livenessProbe: null,
        }),
      ]),
    ],
    found: [],
  },
  {
    what: 'a StatefulSet that a LeaderWorkerSet made which nobody lists',
    objects: [
      object(
        'StatefulSet',
        'm',
        { template: template([vllm({ readinessProbe: null })]) },
        { metadata: ownedBy('LeaderWorkerSet', 'm') },
      ),
    ],
    found: ['probe-missing m'],
  },
  {
    what: 'pods of a Model of KubeAI, which nobody lists',
    objects: [1, 2].map((n) =>
      pod(`model-m-${n}`, {}, { ...ownedBy('Model', 'm'), labels: { model: 'm' } }, [
        vllm({ securityContext: { privileged: true } }),
      ]),
    ),
    found: ['privileged model-m-1'],
  },
  {
    what: 'a runtime with a token in plain text',
    objects: [
      object('InferenceService', 'm', {
        predictor: { model: { modelFormat: { name: 'vLLM' }, runtime: 'r' } },
      }),
      object('ServingRuntime', 'r', {
        containers: [
          {
            name: 'kserve-container',
            image: 'vllm/vllm-openai:v0.11.0',
            args: ['--model=/mnt/models'],
            env: [{ name: 'HF_TOKEN', value: 'hf_1' }],
          },
        ],
      }),
    ],
    found: ['secret-in-environment r'],
  },
  {
    what: 'a Deployment that KServe made of a service that is seen',
    objects: [
      object('InferenceService', 'm', {
        predictor: { model: { modelFormat: { name: 'vLLM' }, runtime: 'r' } },
      }),
      object('ServingRuntime', 'r', {
        containers: [{ name: 'kserve-container', image: 'vllm/vllm-openai:v0.11.0' }],
      }),
      object(
        'Deployment',
        'm-predictor',
        { template: template([vllm({ readinessProbe: null })], {}, { app: 'isvc.m-predictor' }) },
        { metadata: ownedBy('InferenceService', 'm') },
      ),
    ],
    found: [],
  },
  {
    what: 'revisions of Knative that KServe made of a service that is seen',
    objects: [
      object('InferenceService', 'm', {
        predictor: { model: { modelFormat: { name: 'vLLM' }, runtime: 'r' } },
      }),
      object('ServingRuntime', 'r', {
        containers: [{ name: 'kserve-container', image: 'vllm/vllm-openai:v0.11.0' }],
      }),
      revision('m', 1, { 'serving.kserve.io/inferenceservice': 'm' }),
      revision('m', 2, { 'serving.kserve.io/inferenceservice': 'm' }),
    ],
    found: [],
  },
  {
    what: 'revisions of a service of Knative, of which the last has pods',
    objects: [revision('m', 1), revision('m', 2)],
    found: ['privileged m-predictor-00002-deployment'],
  },
  {
    what: 'a service that runs by a runtime of the whole cluster',
    objects: [
      object('InferenceService', 'm', {
        predictor: {
          model: {
            modelFormat: { name: 'vLLM' },
            runtime: 'r',
            args: ['--model', 'org/m', '--api-key', 'sk-1'],
            resources: { limits: { 'nvidia.com/gpu': 1 } },
          },
        },
      }),
      object(
        'ClusterServingRuntime',
        'r',
        {
          containers: [
            {
              name: 'kserve-container',
              image: 'vllm/vllm-openai:latest',
              env: [{ name: 'HF_TOKEN', value: 'hf_1' }],
            },
          ],
        },
        { metadata: { namespace: undefined } },
      ),
      object(
        'Deployment',
        'm-predictor',
        { template: template([vllm({ readinessProbe: null })], {}, { app: 'isvc.m-predictor' }) },
        { metadata: ownedBy('InferenceService', 'm') },
      ),
    ],
    found: ['secret-in-argv m'],
  },
  {
    what: 'a Deployment that KServe made by a runtime that is not shown, with a pod of its own',
    objects: [
      object('InferenceService', 'm', { predictor: { model: { modelFormat: { name: 'vLLM' } } } }),
      object(
        'Deployment',
        'm-predictor',
        {
          template: template(
            [vllm({ securityContext: { privileged: true } })],
            {},
            { app: 'isvc.m-predictor' },
          ),
        },
        { metadata: ownedBy('InferenceService', 'm') },
      ),
      pod(
        'm-predictor-1-a',
        {},
        { ...ownedBy('ReplicaSet', 'm-predictor-1'), labels: { app: 'isvc.m-predictor' } },
        [vllm({ securityContext: { privileged: true } })],
      ),
    ],
    found: ['privileged m-predictor'],
  },
  {
    what: 'the pods of llm-d: a proxy beside the engine holds the port that probes ask',
    objects: [
      deployment(
        'm',
        [vllm({ args: ['--model', 'org/m', '--port', '8200'], ports: [{ containerPort: 8200 }] })],
        {
          initContainers: [
            {
              name: 'routing-proxy',
              image: 'ghcr.io/llm-d/llm-d-routing-sidecar:v0.3.0',
              args: ['--port=8000', '--vllm-port=8200'],
              ports: [{ containerPort: 8000 }],
              restartPolicy: 'Always',
            },
          ],
        },
      ),
    ],
    found: [],
  },
  {
    what: 'a server that is the sidecar of another program',
    objects: [
      deployment('app', [{ name: 'app', image: 'shop:1.2' }], {
        initContainers: [vllm({ restartPolicy: 'Always', env: [{ name: 'VLLM_API_KEY', value: 'sk-1' }] })],
      }),
    ],
    found: ['secret-in-environment app'],
  },
  {
    what: 'containers that prepare and end',
    objects: [
      deployment('m', [vllm()], {
        initContainers: [
          { name: 'fetch', image: 'ollama/ollama:0.12.0', args: ['pull', 'gemma3'] },
          {
            name: 'wait',
            image: 'busybox:1.36',
            command: ['sh', '-c', 'until nc -z db 5432; do sleep 1; done'],
          },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'variables of a ConfigMap may say the port',
    objects: [
      deployment('m', [llama({ args: ['-m', '/a.gguf'], envFrom: [{ configMapRef: { name: 'm' } }] })]),
      deployment('n', [
        llama({
          args: ['-m', '/b.gguf'],
          env: [{ name: 'LLAMA_ARG_PORT', valueFrom: { configMapKeyRef: { name: 'm', key: 'p' } } }],
        }),
      ]),
    ],
    found: [],
  },
  {
    what: 'a model that comes from a ConfigMap is none the less the one of its server, whose threads are too many',
    objects: [
      deployment('m', [
        llama({
          args: ['--port', '8000', '-t', '64'],
          envFrom: [{ configMapRef: { name: 'm' } }],
          resources: { limits: { cpu: '2' } },
        }),
      ]),
    ],
    found: ['throttled-threads m'],
  },
  {
    what: 'a server whose variables say all',
    objects: [
      deployment('m', [
        llama({
          args: null,
          env: [
            { name: 'LLAMA_ARG_MODEL', value: '/a.gguf' },
            { name: 'LLAMA_ARG_PORT', value: '8000' },
            { name: 'LLAMA_ARG_N_GPU_LAYERS', value: '99' },
          ],
          resources: { limits: {} },
        }),
      ]),
    ],
    found: ['gpu-layers-without-gpu m'],
  },
  {
    what: 'a variable that names a Secret by another one',
    objects: [
      deployment('m', [
        vllm({
          env: [
            { name: 'TOKEN_OF_HUB', valueFrom: { secretKeyRef: { name: 'hf', key: 't' } } },
            { name: 'HF_TOKEN', value: '$(TOKEN_OF_HUB)' },
          ],
        }),
      ]),
    ],
    found: [],
  },
  {
    what: 'shared memory of the node',
    objects: [
      deployment(
        'm',
        [
          vllm({
            args: ['--model', 'org/m', '--port', '8000', '-tp', '2'],
            volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
          }),
        ],
        {
          volumes: [{ name: 'shm', hostPath: { path: '/dev/shm' } }],
        },
      ),
    ],
    found: [],
  },
  {
    what: 'a Rollout of Argo',
    objects: [
      object('Rollout', 'm', {
        replicas: 2,
        template: template([vllm({ livenessProbe: { ...get, initialDelaySeconds: 5 }, startupProbe: null })]),
      }),
      service('m'),
    ],
    found: ['startup-short m'],
  },
]);
