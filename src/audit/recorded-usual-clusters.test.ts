import {
  deployment,
  get,
  object,
  pod,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';
import type { Thing } from '../../test/support/cluster-cases.ts';

function ready(since: string, status = 'False'): Thing[] {
  return [
    { type: 'PodScheduled', status: 'True' },
    { type: 'Ready', status, reason: 'ContainersNotReady', lastTransitionTime: since },
  ];
}

const running = { name: 'vllm', ready: false, started: true, restartCount: 0, state: { running: {} } };

tryClusters([
  {
    what: 'probes of other engines by their own paths',
    objects: [
      [
        'sgl',
        'lmsysorg/sglang:v0.5.3',
        [
          'python3',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/s',
          '--host',
          '0.0.0.0',
          '--port',
          '8000',
        ],
        '/health_generate',
      ],
      [
        'tei',
        'ghcr.io/huggingface/text-embeddings-inference:cpu-1.8',
        ['text-embeddings-router', '--model-id', 'BAAI/bge-m3', '--port', '8000'],
        '/health',
      ],
      [
        'tgi',
        'ghcr.io/huggingface/text-generation-inference:3.3.5',
        ['text-generation-launcher', '--model-id', 'org/t', '--port', '8000'],
        '/info',
      ],
      [
        'tri',
        'nvcr.io/nvidia/tritonserver:25.09-trtllm-python-py3',
        ['tritonserver', '--model-repository=/models'],
        '/v2/health/ready',
      ],
    ].flatMap(([name, image, command, path]) => [
      deployment(String(name), [
        vllm({
          image,
          command,
          args: null,
          readinessProbe: { httpGet: { path, port: 8000 } },
          startupProbe: null,
          livenessProbe: null,
        }),
      ]),
      service(String(name)),
    ]),
    found: [],
  },
  {
    what: 'pods that were left over: evicted, refused by the GPUs of a node that started anew, ended with their node',
    objects: [
      ...whole,
      ...['Evicted', 'UnexpectedAdmissionError', 'NodeShutdown', 'OutOfnvidia.com/gpu'].map((reason, nth) =>
        pod(`m-6f-${nth}`, { phase: 'Failed', reason, message: 'x' }),
      ),
      pod('m-6f-9', {
        phase: 'Running',
        conditions: ready('2026-11-20T09:00:00Z', 'True'),
        containerStatuses: [{ ...running, ready: true }],
      }),
    ],
    found: [],
  },
  {
    what: 'a pod that has not become ready for a day, and says nothing else',
    objects: [
      ...whole,
      pod('m-6f-1', {
        phase: 'Running',
        startTime: '2026-11-27T08:00:00Z',
        conditions: ready('2026-11-27T08:00:05Z'),
        containerStatuses: [running],
      }),
    ],
    found: ['not-answering m-6f-1'],
  },
  {
    what: 'a pod that loads its model since a few minutes, and one that is taken away',
    objects: [
      ...whole,
      pod('m-6f-1', {
        phase: 'Running',
        conditions: ready('2026-11-28T08:50:05Z'),
        containerStatuses: [running],
      }),
      pod(
        'm-6f-2',
        { phase: 'Running', conditions: ready('2026-11-27T08:00:05Z'), containerStatuses: [running] },
        { deletionTimestamp: '2026-11-28T08:59:00Z' },
      ),
    ],
    found: [],
  },
  {
    what: 'keys by reference in arguments, words in their place, and a key of a store in plain text',
    objects: [
      deployment('m', [
        vllm({
          args: ['--model', 'org/m', '--port', '8000', '--api-key=$(VLLM_KEY)'],
          env: [
            { name: 'VLLM_KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            { name: 'OPENAI_API_KEY', value: 'EMPTY' },
            { name: 'HUGGING_FACE_HUB_TOKEN', value: '' },
          ],
        }),
      ]),
      service('m'),
      deployment('n', [
        vllm({
          args: ['--model', 's3://models/n', '--port', '8000'],
          env: [
            { name: 'AWS_ACCESS_KEY_ID', value: 'AKIA5' },
            { name: 'AWS_SECRET_ACCESS_KEY', value: 'wJalr' },
          ],
        }),
      ]),
      service('n'),
    ],
    found: ['secret-in-environment n'],
  },
  {
    what: 'what is not about models: a shop that has every fault, and what drives the GPUs',
    objects: [
      ...whole,
      object(
        'Deployment',
        'shop',
        {
          replicas: 1,
          template: template(
            [
              {
                name: 'php',
                image: 'wordpress:latest',
                env: [{ name: 'DB_PASSWORD', value: 'x' }],
                securityContext: { privileged: true },
              },
            ],
            { hostNetwork: true },
            { app: 'shop' },
          ),
        },
        { metadata: { namespace: 'shop' } },
      ),
      object(
        'Pod',
        'shop-1',
        { containers: [{ name: 'php', image: 'wordpress:latest' }] },
        {
          metadata: { namespace: 'shop' },
          status: {
            phase: 'Running',
            containerStatuses: [
              {
                name: 'php',
                ready: false,
                restartCount: 99,
                state: { waiting: { reason: 'CrashLoopBackOff' } },
              },
            ],
          },
        },
      ),
      ...['nvidia-device-plugin-daemonset', 'nvidia-dcgm-exporter', 'gpu-feature-discovery'].map((name) =>
        object(
          'DaemonSet',
          name,
          {
            template: template(
              [{ name, image: `nvcr.io/nvidia/k8s/${name}:latest`, securityContext: { privileged: true } }],
              { hostPID: true, hostNetwork: true },
            ),
          },
          { metadata: { namespace: 'gpu-operator' } },
        ),
      ),
    ],
    found: [],
  },
  {
    what: 'a volume that was released, and one that waits for its first pod, which is scaled to zero',
    objects: [
      object(
        'PersistentVolume',
        'pv-1',
        { claimRef: { name: 'old', namespace: 'llm' }, capacity: { storage: '100Gi' } },
        { metadata: { namespace: undefined }, status: { phase: 'Released' } },
      ),
      deployment(
        'm',
        [vllm({ volumeMounts: [{ name: 'd', mountPath: '/models' }] })],
        { volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'waits' } }] },
        { replicas: 0 },
      ),
      service('m'),
      object('HorizontalPodAutoscaler', 'm', {
        minReplicas: 0,
        maxReplicas: 3,
        scaleTargetRef: { kind: 'Deployment', name: 'm' },
      }),
      object(
        'PersistentVolumeClaim',
        'waits',
        { storageClassName: 'local-path', resources: { requests: { storage: '50Gi' } } },
        { status: { phase: 'Pending' } },
      ),
    ],
    found: [],
  },
  {
    what: 'AIBrix: a Deployment by the labels of its gateway',
    objects: [
      object('Deployment', 'qwen', {
        replicas: 1,
        selector: { matchLabels: { 'model.aibrix.ai/name': 'qwen', 'model.aibrix.ai/port': '8000' } },
        template: template([vllm()], {}, { 'model.aibrix.ai/name': 'qwen', 'model.aibrix.ai/port': '8000' }),
      }),
      service('qwen', {
        selector: { 'model.aibrix.ai/name': 'qwen' },
        ports: [{ name: 'serve', port: 8000, targetPort: 8000 }],
      }),
    ],
    found: [],
  },
  {
    what: 'a liveness probe that kills a pod before its startup could end, by the chart of somebody',
    objects: [
      deployment('m', [
        vllm({
          startupProbe: null,
          livenessProbe: { ...get, initialDelaySeconds: 30, periodSeconds: 10, failureThreshold: 3 },
        }),
      ]),
      service('m'),
    ],
    found: ['startup-short m'],
  },
]);
