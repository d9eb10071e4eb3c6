import {
  deployment,
  get,
  llamaOnCpu,
  object,
  pod,
  service,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

tryClusters([
  {
    what: 'a memory limit in Mi, with a cache that is larger',
    objects: [
      deployment('m', [
        llamaOnCpu({
          args: ['-m', '/models/a.gguf', '--port=8000', '--cache-ram=9000'],
          resources: { limits: { memory: '8192Mi' } },
        }),
      ]),
      service('m'),
    ],
    found: ['prompt-cache-over-limit m'],
  },
  {
    what: 'a memory limit in plain bytes that holds the cache',
    objects: [
      deployment('m', [
        llamaOnCpu({
          args: ['-m', '/models/a.gguf', '--port=8000', '--cache-ram=2048'],
          resources: { limits: { memory: 8589934592 } },
        }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a cache that a variable names, larger than the limit',
    objects: [
      deployment('m', [
        llamaOnCpu({
          args: ['-m', '/models/a.gguf', '--port', '8000'],
          env: [{ name: 'LLAMA_ARG_CACHE_RAM', value: '16384' }],
          resources: { limits: { memory: '12e9' } },
        }),
      ]),
      service('m'),
    ],
    found: ['prompt-cache-over-limit m'],
  },
  {
    what: 'a cache that a ConfigMap names',
    objects: [
      deployment('m', [
        llamaOnCpu({
          args: ['-m', '/models/a.gguf', '--port', '8000'],
          env: [
            {
              name: 'LLAMA_ARG_CACHE_RAM',
              valueFrom: { configMapKeyRef: { name: 'c', key: 'cache' } },
            },
          ],
          resources: { limits: { memory: '4Gi' } },
        }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'more threads by variable than thousandths of a CPU',
    objects: [
      deployment('m', [
        llamaOnCpu({
          env: [{ name: 'LLAMA_ARG_THREADS', value: '8' }],
          resources: { limits: { cpu: '3500m' } },
        }),
      ]),
      service('m'),
    ],
    found: ['throttled-threads m'],
  },
  {
    what: 'as many threads as a limit in thousandths begins',
    objects: [
      deployment('m', [
        llamaOnCpu({
          env: [{ name: 'LLAMA_ARG_THREADS', value: '4' }],
          resources: { limits: { cpu: '3500m' } },
        }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a tcpSocket probe of a port where nobody listens',
    objects: [deployment('m', [vllm({ readinessProbe: { tcpSocket: { port: 8080 } } })]), service('m')],
    found: ['probe-wrong m'],
  },
  {
    what: 'a tcpSocket probe by the name of the port',
    objects: [deployment('m', [vllm({ readinessProbe: { tcpSocket: { port: 'http' } } })]), service('m')],
    found: [],
  },
  {
    what: 'a probe by https of a server without a certificate',
    objects: [
      deployment('m', [
        vllm({ readinessProbe: { httpGet: { path: '/health', port: 8000, scheme: 'HTTPS' } } }),
      ]),
      service('m'),
    ],
    found: ['probe-wrong m'],
  },
  {
    what: 'a probe by https of a server with one',
    objects: [
      deployment('m', [
        vllm({
          args: ['--model', 'org/m', '--port', '8000', '--ssl-certfile', '/c', '--ssl-keyfile', '/k'],
          startupProbe: null,
          livenessProbe: null,
          readinessProbe: { httpGet: { path: '/health', port: 8000, scheme: 'HTTPS' } },
        }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a probe of another host',
    objects: [
      deployment('m', [
        vllm({ readinessProbe: { httpGet: { path: '/x', port: 9000, host: 'status.example.org' } } }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a token in plain text in an initial container that fetches',
    objects: [
      deployment('m', [vllm()], {
        initContainers: [
          {
            name: 'fetch',
            image: 'python:3.12.1',
            command: ['huggingface-cli', 'download', 'org/m'],
            env: [{ name: 'HF_TOKEN', value: 'hf_abc' }],
          },
        ],
      }),
      service('m'),
    ],
    found: ['secret-in-environment m'],
  },
  {
    what: 'a token of a Secret in an initial container, and a key in plain text of what is beside it',
    objects: [
      deployment(
        'm',
        [
          vllm(),
          {
            name: 'proxy',
            image: 'nginx:1.27.1',
            args: ['--upstream-key', '***'],
            env: [{ name: 'EOS_TOKEN', value: '</s>' }],
          },
        ],
        {
          initContainers: [
            {
              name: 'fetch',
              image: 'python:3.12.1',
              env: [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
            },
          ],
        },
      ),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'a Job without a readiness probe whose image moves',
    objects: [
      object('Job', 'm', {
        template: template([
          vllm({ image: 'vllm/vllm-openai', readinessProbe: null, startupProbe: null, livenessProbe: null }),
        ]),
      }),
    ],
    found: ['rolling-image m'],
  },
  {
    what: 'two engines in one pod, one of them privileged',
    objects: [
      deployment('m', [
        vllm({ securityContext: { privileged: true } }),
        llamaOnCpu({
          args: ['-m', '/models/b.gguf', '--port', '8001', '--cache-ram', '0'],
          ports: [{ name: 'two', containerPort: 8001 }],
          startupProbe: null,
          livenessProbe: null,
          readinessProbe: { httpGet: { path: '/health', port: 8001 } },
        }),
      ]),
      service('m', {
        ports: [
          { name: 'a', port: 80, targetPort: 'http' },
          { name: 'b', port: 81, targetPort: 'two' },
        ],
      }),
    ],
    found: ['privileged m'],
  },
  {
    what: 'layers on a GPU of another vendor',
    objects: [
      deployment('m', [
        llamaOnCpu({
          image: 'ghcr.io/ggml-org/llama.cpp:server-cann-b6000',
          args: ['-m', '/models/a.gguf', '--port', '8000', '--n-gpu-layers=99', '--cache-ram', '0'],
          resources: { limits: { 'huawei.com/Ascend910': '1' } },
        }),
      ]),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'layers by variable, with an image for the CPU by a mirror',
    objects: [
      deployment('m', [
        llamaOnCpu({
          image: 'registry.local:5000/ggml-org/llama.cpp:server-b6000',
          env: [{ name: 'LLAMA_ARG_N_GPU_LAYERS', value: '99' }],
        }),
      ]),
      service('m'),
    ],
    found: ['gpu-layers-without-gpu m'],
  },
  {
    what: 'an image for the CPU by tag and digest',
    objects: [
      deployment('m', [
        llamaOnCpu({
          image: `ghcr.io/ggml-org/llama.cpp:server@sha256:${'a'.repeat(64)}`,
          args: ['-m', '/models/a.gguf', '--port', '8000', '-ngl', '99', '--cache-ram', '0'],
          resources: { limits: { 'nvidia.com/gpu': 1 } },
        }),
      ]),
      service('m'),
    ],
    found: ['gpu-layers-without-gpu m'],
  },
  {
    what: 'shared memory mounted with a slash at its end',
    objects: [
      deployment(
        'm',
        [
          vllm({
            args: ['--model=org/m', '--port=8000', '--tensor-parallel-size=2'],
            volumeMounts: [{ name: 'shm', mountPath: '/dev/shm/' }],
          }),
        ],
        { volumes: [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '8Gi' } }] },
      ),
      service('m'),
    ],
    found: [],
  },
  {
    what: 'shared memory that is a folder on disk, for a vLLM behind a shell',
    objects: [
      deployment(
        'm',
        [
          vllm({
            command: ['bash', '-c'],
            args: ['exec vllm serve org/m --port 8000 -tp 2'],
            volumeMounts: [{ name: 'shm', mountPath: '/dev/shm' }],
          }),
        ],
        { volumes: [{ name: 'shm', emptyDir: {} }] },
      ),
      service('m'),
    ],
    found: ['missing-shm m'],
  },
  {
    what: 'an SGLang over two GPUs without shared memory',
    objects: [
      deployment('m', [
        vllm({
          image: 'lmsysorg/sglang:v0.5.3',
          command: ['python3', '-m', 'sglang.launch_server'],
          args: ['--model-path', 'org/m', '--tp', '2', '--port', '8000', '--host', '0.0.0.0'],
        }),
      ]),
      service('m'),
    ],
    found: ['missing-shm m'],
  },
  {
    what: 'a Deployment whose pods nobody may make',
    objects: [
      {
        ...deployment('m', [vllm()]),
        status: {
          conditions: [
            {
              type: 'ReplicaFailure',
              status: 'True',
              reason: 'FailedCreate',
              message: 'exceeded quota: gpus',
            },
          ],
        },
      },
      service('m'),
    ],
    found: ['failed m'],
  },
  {
    what: 'an initial container that is killed for memory, and one that ended well',
    objects: [
      ...whole,
      pod('m-6f-a', {
        initContainerStatuses: [
          { name: 'fetch', ready: false, restartCount: 1, state: { terminated: { reason: 'OOMKilled' } } },
        ],
      }),
      pod('m-6f-b', {
        initContainerStatuses: [
          { name: 'fetch', ready: true, restartCount: 0, state: { terminated: { reason: 'Completed' } } },
        ],
        containerStatuses: [{ name: 'vllm', ready: true, restartCount: 0, state: { running: {} } }],
      }),
    ],
    found: ['out-of-memory m-6f-a'],
  },
  {
    what: 'a key in the arguments of a shell, and a variable that the shell puts in',
    objects: [
      deployment('m', [
        vllm({ command: ['sh', '-c', 'exec vllm serve org/m --port 8000 --api-key=sk-abc'], args: null }),
      ]),
      service('m'),
      deployment('n', [
        vllm({
          command: ['sh', '-c', 'exec vllm serve org/n --port 8000 --api-key "$KEY"'],
          args: null,
          env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
        }),
      ]),
      service('n'),
    ],
    found: ['secret-in-argv m'],
  },
  {
    what: 'a probe without slash, and one that counts to 40 s',
    objects: [
      deployment('m', [vllm({ readinessProbe: { httpGet: { path: 'health', port: '8000' } } })]),
      service('m'),
      deployment('n', [
        vllm({
          args: ['serve', 'org/n', '--port=8000'],
          startupProbe: null,
          livenessProbe: { ...get, initialDelaySeconds: 10 },
        }),
      ]),
      service('n'),
    ],
    found: ['startup-short n'],
  },
]);
