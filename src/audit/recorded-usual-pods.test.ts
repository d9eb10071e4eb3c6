import {
  claim,
  custom,
  deployment,
  llama,
  object,
  ownedBy,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

tryClusters([
  {
    what: 'a leftover of OpenShift AI: a runtime and a claim of a model that was removed',
    objects: [
      custom('serving.kserve.io/v1alpha1', 'ServingRuntime', 'gone', {
        containers: [
          {
            name: 'kserve-container',
            image: 'quay.io/modh/vllm:rhoai-2.20-cuda',
            args: ['--port=8080', '--model=/mnt/models'],
          },
        ],
      }),
      claim('gone-models'),
      ...whole,
    ],
    found: ['orphan-claim gone-models', 'unused-runtime gone'],
  },
  {
    what: 'a service of Knative itself, with what it makes',
    objects: [
      custom('serving.knative.dev/v1', 'Service', 'chat', {
        template: {
          metadata: { annotations: { 'autoscaling.knative.dev/minScale': '0' } },
          spec: { containerConcurrency: 8, containers: [vllm({ ports: [{ containerPort: 8000 }] })] },
        },
      }),
      object(
        'Service',
        'chat',
        { type: 'ExternalName', externalName: 'kourier.kourier-system.svc', clusterIP: null },
        { metadata: ownedBy('Route', 'chat') },
      ),
    ],
    found: [],
  },
  {
    what: 'two Deployments of one model that one InferencePool divides requests among',
    objects: [
      object('Deployment', 'h100', {
        replicas: 2,
        template: template([vllm()], {}, { pool: 'm', gpu: 'h100' }),
      }),
      object('Deployment', 'l40s', {
        replicas: 2,
        template: template([vllm()], {}, { pool: 'm', gpu: 'l40s' }),
      }),
      custom('inference.networking.k8s.io/v1', 'InferencePool', 'm', {
        selector: { matchLabels: { pool: 'm' } },
        targetPorts: [{ number: 8000 }],
        endpointPickerRef: { name: 'm-epp' },
      }),
    ],
    found: [],
  },
  ...[
    { 'nvidia.com/mig-3g.40gb': 1 },
    { 'nvidia.com/gpu.shared': 1 },
    { 'gpu.intel.com/xe': 1 },
    { 'volcano.sh/vgpu-number': 1 },
    { 'nvidia.com/gpumem': 20_000, 'nvidia.com/gpu': 1 },
  ].map((limits) => ({
    what: `layers on ${Object.keys(limits).join(' and ')}`,
    objects: [
      deployment('m', [
        llama({ args: ['-m', '/models/a.gguf', '--port', '8000', '-ngl', '99'], resources: { limits } }),
      ]),
      service('m'),
    ],
    found: [],
  })),
  {
    what: 'layers on a GPU that a claim of devices brings',
    objects: [
      deployment(
        'm',
        [
          llama({
            args: ['-m', '/models/a.gguf', '--port', '8000', '-ngl', '99'],
            resources: { claims: [{ name: 'gpu' }] },
          }),
        ],
        { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] },
      ),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'layers on a GPU by the class of the runtime, which shows all of them',
    objects: [
      deployment(
        'm',
        [
          llama({
            args: ['-m', '/models/a.gguf', '--port', '8000', '-ngl', '99'],
            resources: {},
            env: [{ name: 'NVIDIA_VISIBLE_DEVICES', value: 'all' }],
          }),
        ],
        { runtimeClassName: 'nvidia' },
      ),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'images of engines in which somebody works, measures or fetches',
    objects: [
      deployment('dev', [
        vllm({
          command: ['sleep', 'infinity'],
          args: null,
          readinessProbe: null,
          startupProbe: null,
          livenessProbe: null,
        }),
      ]),
      deployment('dev2', [
        vllm({
          command: ['/bin/bash', '-c', 'tail -f /dev/null'],
          args: null,
          readinessProbe: null,
          image: 'vllm/vllm-openai:latest',
        }),
      ]),
      object('Job', 'bench', {
        template: template([
          vllm({
            command: ['vllm', 'bench', 'serve', '--base-url', 'http://m', '--model', 'org/m'],
            args: null,
            image: 'vllm/vllm-openai:latest',
          }),
        ]),
      }),
      object('Job', 'fetch', {
        template: template([
          vllm({ command: ['hf', 'download', 'org/m'], args: null, image: 'vllm/vllm-openai:latest' }),
        ]),
      }),
    ],
    found: [],
  },
  {
    what: 'a probe of vLLM that asks for its models, which want a key',
    objects: [
      deployment('m', [
        vllm({
          args: ['--model', 'org/m', '--port', '8000', '--api-key', '$(KEY)'],
          env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          readinessProbe: { httpGet: { path: '/v1/models', port: 8000 } },
        }),
      ]),
      service('m'),
    ],
    found: ['probe-wrong m'],
  },
  {
    what: 'the same with the key in a header, and llama-server, whose models want none',
    objects: [
      deployment('m', [
        vllm({
          env: [{ name: 'VLLM_API_KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          readinessProbe: {
            httpGet: {
              path: '/v1/models',
              port: 8000,
              httpHeaders: [{ name: 'Authorization', value: 'Bearer $(K)' }],
            },
          },
        }),
      ]),
      service('m'),
      deployment('n', [
        llama({
          env: [{ name: 'LLAMA_API_KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          readinessProbe: { httpGet: { path: '/v1/models', port: 8000 } },
        }),
      ]),
      service('n'),
    ],
    found: [],
  },
  {
    what: 'probes that ask a command, that end in a slash, and that ask a path nobody has',
    objects: [
      deployment('m', [
        vllm({ readinessProbe: { exec: { command: ['curl', '-f', 'http://localhost:8000/health'] } } }),
      ]),
      service('m'),
      deployment('n', [
        vllm({
          args: ['--model', 'org/n', '--port', '8000'],
          readinessProbe: { httpGet: { path: '/health/', port: 8000 } },
        }),
      ]),
      service('n'),
      deployment('o', [
        vllm({
          args: ['--model', 'org/o', '--port', '8000'],
          livenessProbe: { httpGet: { path: '/healthz', port: 8000 } },
        }),
      ]),
      service('o'),
    ],
    found: ['probe-wrong o'],
  },
  ...[
    { args: ['--model', 'org/m', '--port', '8000', '--api-key', '$(vllm-key)'] },
    { args: ['--model', 'org/m', '--port', '8000', '--api-key=$(vllm.key)'] },
    { command: ['sh', '-c'], args: ['exec vllm serve org/m --port 8000 --api-key $(vllm_key)'] },
  ].map((words) => ({
    what: `a key of a Secret that the cluster puts into ${words.args.at(-1)}`,
    objects: [deployment('m', [vllm(words)]), service('m')],
    found: [],
  })),
]);
