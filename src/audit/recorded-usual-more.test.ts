import {
  claim,
  deployment,
  llama,
  object,
  ownedBy,
  pod,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

const since = '2026-11-20T09:00:00Z';

tryClusters([
  {
    what: 'a probe that asks a port where nobody listens, and the pod that waits for it',
    objects: [
      deployment('m', [vllm({ readinessProbe: { httpGet: { path: '/health', port: 8080 } } })]),
      service('m'),
      pod(
        'm-1',
        {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: since }],
          containerStatuses: [{ name: 'vllm', ready: false, restartCount: 0, state: { running: {} } }],
        },
        { labels: { app: 'm' } },
      ),
    ],
    found: ['probe-wrong m'],
  },
  {
    what: 'a server with all that a careful team puts around it',
    objects: [
      deployment(
        'm',
        [vllm({ securityContext: { allowPrivilegeEscalation: false, runAsNonRoot: true } })],
        {
          volumes: [{ name: 'shm', emptyDir: { medium: 'Memory' } }],
          nodeSelector: { 'nvidia.com/gpu.product': 'NVIDIA-H100' },
          tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
        },
        { replicas: 2 },
      ),
      service('m'),
      object('Ingress', 'm', {
        tls: [{ hosts: ['llm.example.org'], secretName: 'tls' }],
        rules: [
          {
            host: 'llm.example.org',
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend: { service: { name: 'm', port: { number: 80 } } } },
              ],
            },
          },
        ],
      }),
      object('HorizontalPodAutoscaler', 'm', {
        minReplicas: 2,
        maxReplicas: 4,
        scaleTargetRef: { kind: 'Deployment', name: 'm' },
      }),
      object('PodDisruptionBudget', 'm', { minAvailable: 1, selector: { matchLabels: { app: 'm' } } }),
      object('NetworkPolicy', 'm', { podSelector: { matchLabels: { app: 'm' } }, policyTypes: ['Ingress'] }),
      object('ServiceMonitor', 'm', {
        selector: { matchLabels: { app: 'm' } },
        endpoints: [{ port: 'http', path: '/metrics' }],
      }),
      object('ConfigMap', 'm', {}, { data: { 'config.yaml': 'model: org/m' } }),
    ],
    found: [],
  },
  {
    what: 'a new version that waits for the GPU that the old one has',
    objects: [
      ...whole,
      pod('m-old-1', {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [{ name: 'vllm', ready: true, restartCount: 0, state: { running: {} } }],
      }),
      pod('m-new-1', {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.',
            lastTransitionTime: since,
          },
        ],
      }),
    ],
    found: ['failed m-new-1'],
  },
  {
    what: 'an image that nobody may fetch, since days',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        containerStatuses: [
          {
            name: 'vllm',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ImagePullBackOff', message: 'x' } },
          },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'a server that is killed for memory again and again',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: since }],
        containerStatuses: [
          {
            name: 'vllm',
            ready: false,
            restartCount: 41,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { reason: 'OOMKilled', exitCode: 137 } },
          },
        ],
      }),
    ],
    found: ['out-of-memory m-1'],
  },
  {
    what: 'a server that its liveness probe kills',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'vllm',
            ready: true,
            restartCount: 12,
            state: { running: {} },
            lastState: { terminated: { reason: 'Error', exitCode: 137 } },
          },
        ],
      }),
    ],
    found: ['restarting m-1'],
  },
  {
    what: 'a volume that never comes: the container is made for days',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        startTime: since,
        conditions: [
          { type: 'PodScheduled', status: 'True' },
          { type: 'Ready', status: 'False', reason: 'ContainersNotReady', lastTransitionTime: since },
        ],
        containerStatuses: [
          {
            name: 'vllm',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ContainerCreating' } },
          },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'a volume that comes in a moment',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'True' },
          {
            type: 'Ready',
            status: 'False',
            reason: 'ContainersNotReady',
            lastTransitionTime: '2026-11-28T08:56:00Z',
          },
        ],
        containerStatuses: [
          {
            name: 'vllm',
            ready: false,
            restartCount: 0,
            state: { waiting: { reason: 'ContainerCreating' } },
          },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'a fetch before the server that goes on for days',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        conditions: [
          { type: 'PodScheduled', status: 'True' },
          { type: 'Initialized', status: 'False' },
          { type: 'Ready', status: 'False', lastTransitionTime: since },
        ],
        initContainerStatuses: [
          { name: 'fetch', ready: false, restartCount: 0, state: { running: { startedAt: since } } },
        ],
        containerStatuses: [
          { name: 'vllm', ready: false, restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'a Deployment that was given up, of which no pod is shown',
    objects: [deployment('m', [vllm()], {}, {}), service('m')].map((one) =>
      one['kind'] === 'Deployment'
        ? {
            ...one,
            status: {
              replicas: 1,
              unavailableReplicas: 1,
              conditions: [
                {
                  type: 'Available',
                  status: 'False',
                  reason: 'MinimumReplicasUnavailable',
                  lastTransitionTime: since,
                },
                {
                  type: 'Progressing',
                  status: 'False',
                  reason: 'ProgressDeadlineExceeded',
                  lastTransitionTime: since,
                },
              ],
            },
          }
        : one,
    ),
    found: ['failed m'],
  },
  {
    what: 'a claim that only a Job of before has fetched into, and what is served from elsewhere',
    objects: [
      ...whole,
      object(
        'Job',
        'fetch',
        {
          template: template(
            [{ name: 'fetch', image: 'python:3.12', command: ['hf', 'download', 'org/x'] }],
            { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'x' } }] },
          ),
        },
        { status: { succeeded: 1, completionTime: since } },
      ),
      claim('x'),
    ],
    found: [],
  },
  {
    what: 'a claim of one that was killed, and a Service of the same, both left',
    objects: [...whole, service('old'), claim('old-models')],
    found: ['orphan-claim old-models', 'orphan-service old'],
  },
  {
    what: 'a Service without an address for the pods of a StatefulSet that is scaled to zero, and an Ingress to it',
    objects: [
      object('StatefulSet', 's', {
        replicas: 0,
        serviceName: 's',
        template: template([vllm()], {}, { app: 's' }),
      }),
      service('s', { clusterIP: 'None' }),
      object('Ingress', 's', {
        rules: [{ http: { paths: [{ backend: { service: { name: 's', port: { number: 80 } } } }] } }],
      }),
    ],
    found: [],
  },
  {
    what: 'a port of the node that a container takes, without a key',
    objects: [
      deployment('m', [vllm({ ports: [{ name: 'http', containerPort: 8000, hostPort: 8000 }] })]),
      service('m'),
    ],
    found: ['open-without-key m'],
  },
  {
    what: 'a port of the loopback of the node',
    objects: [
      deployment('m', [
        vllm({ ports: [{ name: 'http', containerPort: 8000, hostPort: 8000, hostIP: '127.0.0.1' }] }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a server of its own for what only embeds, on the CPU, with a limit of memory',
    objects: [
      deployment('e', [
        llama({
          image: 'ghcr.io/ggml-org/llama.cpp:server-b6000',
          args: ['-m', '/models/e.gguf', '--embeddings', '--port', '8000', '--cache-ram', '0', '-t', '4'],
          resources: { limits: { cpu: '4', memory: '4Gi' } },
        }),
      ]),
      service('e'),
    ],
    found: [],
  },
  {
    what: 'an operator that made a Service and a Deployment, whose own kind is not shown',
    objects: [
      object(
        'Deployment',
        'x-1',
        { replicas: 1, template: template([vllm()], {}, { app: 'x' }) },
        { metadata: ownedBy('Workspace', 'x') },
      ),
      object(
        'Service',
        'x',
        { clusterIP: '10.0.0.9', selector: { app: 'x' }, ports: [{ port: 80, targetPort: 8000 }] },
        { metadata: ownedBy('Workspace', 'x') },
      ),
      object(
        'Service',
        'x-headless',
        { clusterIP: 'None', selector: { app: 'x', rank: '0' }, ports: [{ port: 80 }] },
        { metadata: ownedBy('Workspace', 'x') },
      ),
    ],
    found: [],
  },
]);
