import {
  tryClusters,
  vllm,
  object,
  template,
  deployment,
  service,
  claim,
  ownedBy,
  whole,
} from '../../test/support/cluster-cases.ts';

tryClusters([
  { what: 'a Deployment with its Service', objects: whole, found: [] },
  {
    what: 'a StatefulSet with claims of its own and a headless Service',
    objects: [
      object('StatefulSet', 'm', {
        replicas: 2,
        template: template([vllm()]),
        volumeClaimTemplates: [{ metadata: { name: 'models' } }],
      }),
      service('m', { clusterIP: 'None' }),
      claim('models-m-0'),
      claim('models-m-1'),
    ],
    found: [],
  },
  {
    what: 'a StatefulSet that is scaled to zero keeps its claims',
    objects: [
      object('StatefulSet', 'm', {
        replicas: 0,
        template: template([vllm()]),
        volumeClaimTemplates: [{ metadata: { name: 'models' } }],
      }),
      claim('models-m-0'),
      claim('models-m-1'),
      claim('models-n-0'),
    ],
    found: ['orphan-claim models-n-0'],
  },
  {
    what: 'a LeaderWorkerSet with the Service of its leader',
    objects: [
      object('LeaderWorkerSet', 'm', {
        replicas: 2,
        leaderWorkerTemplate: {
          size: 2,
          leaderTemplate: template(
            [
              vllm({
                command: ['sh', '-c', 'bash /ray.sh leader && exec vllm serve org/m --port 8000'],
                args: null,
              }),
            ],
            {},
            { role: 'leader' },
          ),
          workerTemplate: template(
            [
              vllm({
                command: ['sh', '-c', 'bash /ray.sh worker'],
                args: null,
                startupProbe: null,
                readinessProbe: null,
                livenessProbe: null,
              }),
            ],
            {},
            {},
          ),
        },
      }),
      service('m-leader', { selector: { 'leaderworkerset.sigs.k8s.io/name': 'm', role: 'leader' } }),
    ],
    found: [],
  },
  {
    what: 'a RayService with its pods and Services',
    objects: [
      object('RayService', 'm', {
        serveConfigV2: 'applications: [{import_path: ray.serve.llm}]',
        rayClusterConfig: {
          headGroupSpec: { template: template([{ name: 'head', image: 'rayproject/ray-llm:2.50.0' }]) },
          workerGroupSpecs: [
            {
              template: template([{ name: 'worker', image: 'rayproject/ray-llm:2.50.0' }], {
                volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'models' } }],
              }),
            },
          ],
        },
      }),
      object(
        'Service',
        'm-serve-svc',
        { selector: { 'ray.io/cluster': 'm-x' } },
        { metadata: ownedBy('RayService', 'm') },
      ),
      claim('models'),
    ],
    found: [],
  },
  {
    what: 'an InferenceService with a key in its arguments',
    objects: [
      object('InferenceService', 'm', {
        predictor: {
          model: {
            modelFormat: { name: 'vLLM' },
            runtime: 'r',
            storageUri: 'hf://org/m',
            args: ['--api-key=sk-1'],
          },
        },
      }),
      object('ServingRuntime', 'r', {
        containers: [
          {
            name: 'kserve-container',
            image: 'vllm/vllm-openai:v0.11.0',
            args: ['--port=8080', '--model=/mnt/models'],
          },
        ],
      }),
    ],
    found: ['secret-in-argv m'],
  },
  {
    what: 'an InferenceService with a container of its own',
    objects: [
      object('InferenceService', 'm', {
        predictor: { containers: [vllm({ image: 'vllm/vllm-openai:latest' })], hostNetwork: true },
      }),
    ],
    found: ['rolling-image m', 'shares-host m'],
  },
  {
    what: 'a Service named vllm without an address sets no variables',
    objects: [deployment('vllm', [vllm()]), service('vllm', { clusterIP: 'None' })],
    found: [],
  },
  {
    what: 'a Service named vllm that is a name elsewhere',
    objects: [
      deployment('m', [vllm()]),
      service('vllm', {
        clusterIP: null,
        type: 'ExternalName',
        externalName: 'gpu.example.org',
        selector: null,
      }),
    ],
    found: [],
  },
  {
    what: 'a Service named vllm, and a VLLM_PORT of its own',
    objects: [deployment('vllm', [vllm({ env: [{ name: 'VLLM_PORT', value: '5500' }] })]), service('vllm')],
    found: [],
  },
  {
    what: 'a Service named vllm with an address',
    objects: [deployment('vllm', [vllm()]), service('vllm')],
    found: ['service-links vllm'],
  },
  {
    what: 'Services by name of a port, without a selector, and elsewhere',
    objects: [
      ...whole,
      service('named', { selector: { app: 'm' }, ports: [{ port: 80, targetPort: 'http' }] }),
      service('outside', { selector: null }),
      service('name', { selector: null, type: 'ExternalName', externalName: 'x.example.org' }),
    ],
    found: [],
  },
  {
    what: 'an orphan beside a workload that shares a general label with it',
    objects: [
      object('Deployment', 'm', {
        template: template([vllm()], {}, { app: 'm', tier: 'inference', 'app.kubernetes.io/part-of': 'llm' }),
      }),
      service('m'),
      service('old-kimi', { selector: { app: 'old-kimi', tier: 'inference' } }),
      service('old-qwen', { selector: { app: 'old-qwen', 'app.kubernetes.io/part-of': 'llm' } }),
    ],
    found: ['orphan-service old-kimi', 'orphan-service old-qwen'],
  },
  {
    what: 'a selector that misses by one label',
    objects: [
      object('Deployment', 'm', { template: template([vllm()], {}, { app: 'm', version: 'v2' }) }),
      service('chat', { selector: { app: 'm', version: 'v1' } }),
    ],
    found: ['selector-mismatch chat'],
  },
  {
    what: 'a Service with endpoints that are not ready, or that somebody keeps by hand',
    objects: [
      service('a'),
      object(
        'EndpointSlice',
        'a-1',
        {},
        {
          metadata: { labels: { 'kubernetes.io/service-name': 'a' } },
          endpoints: [{ addresses: ['10.0.0.1'] }],
        },
      ),
      service('b'),
      object(
        'EndpointSlice',
        'b-1',
        {},
        { metadata: { labels: { 'kubernetes.io/service-name': 'b' } }, endpoints: null },
      ),
      service('c'),
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name: 'c', namespace: 'llm' },
        subsets: [{ addresses: [{ ip: '10.0.0.9' }] }],
      },
      deployment('m', [vllm()]),
    ],
    found: ['orphan-service b'],
  },
  {
    what: 'a Deployment that KEDA has scaled to zero',
    objects: [
      deployment('m', [vllm()], {}, { replicas: 0 }),
      service('m'),
      object(
        'EndpointSlice',
        'm-1',
        {},
        { metadata: { labels: { 'kubernetes.io/service-name': 'm' } }, endpoints: null },
      ),
      object('ScaledObject', 'm', { scaleTargetRef: { name: 'm' }, minReplicaCount: 0 }),
      object('HorizontalPodAutoscaler', 'keda-hpa-m', { scaleTargetRef: { kind: 'Deployment', name: 'm' } }),
    ],
    found: [],
  },
  {
    what: 'one model in two namespaces',
    objects: [
      deployment('m', [vllm()]),
      { ...deployment('m', [vllm()]), metadata: { name: 'm', namespace: 'llm-test' } },
    ],
    found: [],
  },
  {
    what: 'claims by every mode, named or not',
    objects: [
      deployment('m', [vllm()], {
        volumes: [{ name: 'x', persistentVolumeClaim: { claimName: 'rox', readOnly: true } }],
      }),
      claim('rox'),
      claim('scratch', { metadata: ownedBy('Pod', 'm-1') }),
      claim('left', { status: { phase: 'Bound' } }),
    ],
    found: ['orphan-claim left'],
  },
]);
