import {
  deployment,
  object,
  ownedBy,
  pod,
  template,
  tryClusters,
  vllm,
  whole,
} from '../../test/support/cluster-cases.ts';

/** A healthy Deployment for each of several images, whichever engine is in it. */
function servedBy(image: string, n: number): ReturnType<typeof deployment> {
  return deployment(`m${n}`, [
    {
      ...vllm({ image, args: null }),
      startupProbe: null,
      livenessProbe: null,
      readinessProbe: { exec: { command: ['true'] } },
    },
  ]);
}

tryClusters([
  {
    what: 'a pod of a Model of KubeAI, which says nothing of it',
    objects: [
      object('Model', 'm', { url: 'hf://org/m', engine: 'VLLM' }),
      object(
        'Pod',
        'model-m-1',
        { containers: [vllm({ image: 'vllm/vllm-openai:latest' })] },
        { metadata: ownedBy('Model', 'm') },
      ),
    ],
    found: ['rolling-image model-m-1'],
  },
  {
    what: 'an initial container that crashes',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'fetch', restartCount: 5, state: { waiting: { reason: 'CrashLoopBackOff' } } },
        ],
        containerStatuses: [
          { name: 'vllm', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'a pod that fits on no node since an hour',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.',
            lastTransitionTime: '2026-11-28T08:00:00Z',
          },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'a pod that waits a moment for a node',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            lastTransitionTime: '2026-11-28T08:58:30Z',
          },
        ],
      }),
    ],
    found: [],
  },
  {
    what: 'a pod that is made, and one that has ended as it should',
    objects: [
      ...whole,
      pod('m-1', {
        phase: 'Pending',
        containerStatuses: [
          { name: 'vllm', restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } },
        ],
      }),
      pod(
        'fetch-1',
        {
          phase: 'Succeeded',
          containerStatuses: [
            { name: 'fetch', restartCount: 0, state: { terminated: { reason: 'Completed', exitCode: 0 } } },
          ],
        },
        ownedBy('Job', 'fetch'),
      ),
    ],
    found: [],
  },
  {
    what: 'a Secret that is not there',
    objects: [
      ...whole,
      pod('m-1', {
        containerStatuses: [
          { name: 'vllm', restartCount: 0, state: { waiting: { reason: 'CreateContainerConfigError' } } },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'a registry that is down',
    objects: [
      ...whole,
      pod('m-1', {
        containerStatuses: [
          { name: 'vllm', restartCount: 0, state: { waiting: { reason: 'RegistryUnavailable' } } },
        ],
      }),
    ],
    found: ['failed m-1'],
  },
  {
    what: 'Jobs that are no servers, and one that serves itself',
    objects: [
      object('Job', 'fetch', {
        template: template([{ name: 'x', image: 'ollama/ollama:0.12.0', args: ['pull', 'gemma3'] }]),
      }),
      object('Job', 'convert', {
        template: template([
          { name: 'x', image: 'ghcr.io/ggml-org/llama.cpp:full-b6000', args: ['--convert', '/m'] },
        ]),
      }),
      object('Job', 'batch', {
        template: template([
          {
            name: 'x',
            image: 'vllm/vllm-openai:v0.11.0',
            command: ['vllm', 'run-batch'],
            args: ['-i', 'a.jsonl', '-o', 'b.jsonl', '--model', 'org/m'],
          },
        ]),
      }),
      object('Job', 'eval', {
        template: template([
          {
            name: 'x',
            image: 'vllm/vllm-openai:v0.11.0',
            command: ['sh', '-c'],
            args: ['vllm serve org/m & sleep 60; python3 eval.py'],
          },
        ]),
      }),
      object('CronJob', 'night', {
        jobTemplate: {
          spec: {
            template: template([
              { name: 'x', image: 'vllm/vllm-openai:v0.11.0', args: ['--model', 'org/m'] },
            ]),
          },
        },
      }),
    ],
    found: [],
  },
  {
    what: 'images that roll under names of their own',
    objects: [
      'vllm/vllm-openai:nightly',
      'vllm/vllm-openai:latest-aarch64',
      'ghcr.io/mostlygeek/llama-swap:cuda',
      'ghcr.io/huggingface/text-embeddings-inference:cpu-latest',
      'ollama/ollama:rocm',
    ].map(servedBy),
    found: [
      'rolling-image m0',
      'rolling-image m1',
      'rolling-image m2',
      'rolling-image m3',
      'rolling-image m4',
    ],
  },
  {
    what: 'images that stay under names that look as if they rolled',
    objects: [
      'vllm/vllm-openai:nightly-0123abcdef0123abcdef0123abcdef0123abcdef',
      'vllm/vllm-openai:v0.11.0-cu128',
      'ollama/ollama:0.12.3-rocm',
      'ghcr.io/mostlygeek/llama-swap:v166-cuda-b6000',
      'ghcr.io/huggingface/text-embeddings-inference:cpu-1.8.1',
    ].map(servedBy),
    found: [],
  },
  {
    what: 'what crashes beside the models and is none',
    objects: [
      ...whole,
      object('Deployment', 'redis', {
        template: template([{ name: 'redis', image: 'redis:7' }], {}, { app: 'redis' }),
      }),
      pod(
        'redis-1',
        {
          containerStatuses: [
            { name: 'redis', restartCount: 9, state: { waiting: { reason: 'CrashLoopBackOff' } } },
          ],
        },
        { ...ownedBy('ReplicaSet', 'redis-1'), labels: { app: 'redis' } },
        [{ name: 'redis', image: 'redis:7' }],
      ),
    ],
    found: [],
  },
]);
