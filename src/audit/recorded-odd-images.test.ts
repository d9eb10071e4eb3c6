import { tryContainers } from '../../test/support/container-cases.ts';
import type { ContainerCase } from '../../test/support/container-cases.ts';

type Row = readonly [
  image: string,
  run: string,
  server: string | null,
  env?: readonly string[],
  found?: readonly string[],
];

const entrypoint = '/opt/nvidia/nvidia_entrypoint.sh';

/** What "inspect" shows of images that people run, and whether a model is served. */
const rows: readonly Row[] = [
  [
    'ghcr.io/ggml-org/llama.cpp:server-cuda-b6000',
    '/app/llama-server -hf org/x-GGUF:Q4_K_M --port 8080',
    'llama.cpp org/x-GGUF:Q4_K_M 8080',
  ],
  [
    'ghcr.io/ggml-org/llama.cpp:full-cuda-b6000',
    '/app/tools.sh --server -m /m/a.gguf --port 8000',
    'llama.cpp /m/a.gguf 8000',
  ],
  ['ghcr.io/ggml-org/llama.cpp:full-cuda-b6000', '/app/tools.sh --run -m /m/a.gguf', null],
  ['ghcr.io/ggml-org/llama.cpp:light-cuda-b6000', '/app/llama-cli -m /m/a.gguf', null],
  ['vllm/vllm-openai@sha256:0123abcd', 'vllm serve --model org/m', 'vllm org/m null'],
  ['sha256:0123abcd', 'python3 -m vllm.entrypoints.openai.api_server --model org/m', 'vllm org/m null'],
  [
    'vllm/vllm-openai:v0.11.0',
    "/bin/sh -c 'vllm serve org/m --port $PORT'",
    'vllm org/m 8001',
    ['PORT=8001'],
  ],
  [
    'vllm/vllm-openai:v0.11.0',
    "/bin/bash -c 'ray start --head && vllm serve org/m -tp 8 --distributed-executor-backend ray'",
    'vllm org/m null',
    [],
    ['missing-shm container x'],
  ],
  ['vllm/vllm-openai:v0.11.0', 'bash', null],
  ['vllm/vllm-openai:v0.11.0', '/start.sh', 'vllm null null'],
  ['acme/vllm:1.0', '/start.sh', null],
  ['vllm/vllm-openai:v0.11.0', 'python3 train.py', null],
  ['vllm/vllm-openai:v0.11.0', 'vllm bench serve --model org/m', null],
  ['vllm/vllm-openai:v0.11.0', 'ray start --address=head:6379 --block', null],
  ['acme/vllm-jupyter:1.0', '/entrypoint.sh jupyter lab --ip=0.0.0.0', null],
  ['acme/vllm-nginx:1.0', '/docker-entrypoint.sh nginx -g daemon', null],
  ['acme/vllm-app:1.0', '/entrypoint.sh uvicorn app.main:app --port 8000', null],
  ['ghcr.io/vllm-project/semantic-router/vllm-sr:v0.1', '/entrypoint.sh', null],
  ['rocm/vllm:rocm6.4.1_vllm_0.9.1_20250702', 'vllm serve org/m', 'vllm org/m null'],
  [
    'ghcr.io/huggingface/text-generation-inference:3.3.5',
    '/tgi-entrypoint.sh --model-id org/m --num-shard 2',
    'tgi org/m 80',
    ['PORT=80'],
  ],
  [
    'ghcr.io/huggingface/text-embeddings-inference:cpu-1.8',
    'text-embeddings-router --json-output',
    'text-embeddings-inference BAAI/bge-m3 80',
    ['MODEL_ID=BAAI/bge-m3', 'PORT=80'],
  ],
  ['ollama/ollama:0.12.3', '/bin/ollama serve', 'ollama null null', ['OLLAMA_HOST=0.0.0.0']],
  [
    'ollama/ollama:0.12.3',
    "/bin/sh -c 'ollama serve & sleep 5; ollama pull llama3.2; wait'",
    'ollama null null',
  ],
  ['ollama/ollama:0.12.3', '/bin/bash /entrypoint.sh', 'ollama null null'],
  ['ollama/ollama:0.12.3', '/bin/ollama pull llama3.2', null],
  ['localai/localai:v3.6.0-gpu-nvidia-cuda-12', '/entrypoint.sh', 'localai null null'],
  ['localai/localai:v3.6.0', '/build/entrypoint.sh phi-2', 'localai phi-2 null'],
  [
    'koboldai/koboldcpp:1.98',
    '/bin/bash -c /workspace/docker-helper.sh',
    'koboldcpp /m/a.gguf 5001',
    ['KCPP_ARGS=--model /m/a.gguf --port 5001'],
  ],
  ['ghcr.io/theroyallab/tabbyapi:v1', 'python3 main.py', 'tabbyapi null null'],
  [
    'nvcr.io/nim/meta/llama-3.1-8b-instruct:1.8.4',
    `${entrypoint} /opt/nim/start-server.sh`,
    'nim null 8000',
    ['NGC_API_KEY=s3cr3t'],
    ['secret-in-environment container x'],
  ],
  [
    'nvcr.io/nvidia/tritonserver:25.09-trtllm-python-py3',
    `${entrypoint} tritonserver --model-repository=/models`,
    'triton /models 8000',
  ],
  [
    'nvcr.io/nvidia/tensorrt-llm/release:1.1.0',
    `${entrypoint} trtllm-serve org/m --port 8000`,
    'tensorrt-llm org/m 8000',
  ],
  [
    'openvino/model_server:2025.3-gpu',
    '/ovms/bin/ovms --rest_port 8000 --source_model OpenVINO/x',
    'openvino OpenVINO/x 8000',
  ],
  [
    'michaelf34/infinity:0.0.76',
    'infinity_emb v2 --model-id BAAI/bge-m3 --port 7997',
    'infinity BAAI/bge-m3 7997',
  ],
  [
    'ghcr.io/ericlbuehler/mistral.rs:cuda-80-0.6.0',
    'mistralrs-server --port 1234 plain -m org/m',
    'mistral.rs org/m 1234',
  ],
  [
    'openmmlab/lmdeploy:v0.10.0-cu12',
    'lmdeploy serve api_server org/m --server-port 23333',
    'lmdeploy org/m 23333',
  ],
  [
    'alpindale/aphrodite-openai:v0.9.0',
    'python3 -m aphrodite.endpoints.openai.api_server --model org/m --port 2242',
    'aphrodite org/m 2242',
  ],
  [
    'ghcr.io/abetlen/llama-cpp-python:v0.3.16',
    '/bin/sh /app/docker/simple/run.sh',
    'llama-cpp-python /m/a.gguf 8000',
    ['MODEL=/m/a.gguf', 'HOST=0.0.0.0', 'PORT=8000'],
  ],
  [
    'acme/llamafile:1.0',
    "/bin/sh -c './model.llamafile --server --host 0.0.0.0 --port 8080'",
    'llama.cpp ./model.llamafile 8080',
  ],
  [
    'quay.io/ramalama/cuda:0.12',
    'llama-server --host 0.0.0.0 --port 8080 --model /mnt/models/model.file',
    'llama.cpp /mnt/models/model.file 8080',
  ],
  [
    'ghcr.io/mostlygeek/llama-swap:v166-cuda-b6795',
    '/app/llama-swap -config /app/config.yaml',
    'llama-swap null null',
  ],
  [
    'nvcr.io/nvidia/k8s/dcgm-exporter:4.2.0-4.1.0-ubuntu22.04',
    '/usr/local/dcgm/dcgm-entrypoint.sh dcgm-exporter',
    null,
  ],
  ['ghcr.io/open-webui/open-webui:v0.6', 'bash start.sh', null, ['OLLAMA_BASE_URL=http://ollama:11434']],
  [
    'ghcr.io/berriai/litellm:v1.77.3-stable',
    'docker/prod_entrypoint.sh --port 4000 --config /app/config.yaml',
    null,
  ],
  ['prom/prometheus:v3.5.0', '/bin/prometheus --config.file=/etc/prometheus/vllm.yml', null],
  ['nginx:1.27', "/docker-entrypoint.sh nginx -g 'daemon off;'", null],
  ['docker:27-dind', 'dockerd-entrypoint.sh', null],
  ['quay.io/jupyter/pytorch-notebook:2025-09', 'tini -g -- start-notebook.py', null],
  ['lmcache/lmstack-router:v0.1', '/app/start_router.sh --static-backends http://a:8000', null],
  ['acme/ollama-exporter:1.0', 'python3 /app/ollama_exporter.py', null],
  ['containrrr/watchtower:1.7', '/watchtower ollama vllm', null],
];

/** Tags that are given to another image with each release, and some that are not. */
const tags: readonly (readonly [image: string, rolls: boolean])[] = [
  ['lmsysorg/sglang:latest-cu130-runtime', true],
  ['ghcr.io/huggingface/text-embeddings-inference:turing-latest', true],
  ['ghcr.io/huggingface/text-embeddings-inference:89-latest', true],
  ['registry.local:5000/vllm/vllm-openai', true],
  ['ghcr.io/ggml-org/llama.cpp:server-cuda13', true],
  ['localai/localai:latest-aio-gpu-nvidia-cuda-12', true],
  ['vllm/vllm-openai:nightly', true],
  ['vllm/vllm-openai:nightly-0123456789abcdef0123456789abcdef01234567', false],
  ['acme/llm:nightly-2025-10-01', false],
  ['acme/llm:latest-v1.2', false],
  ['acme/llm:main-3f2a1bc', false],
  ['registry.local:5000/vllm/vllm-openai:v0.11.0', false],
];

tryContainers([
  ...rows.map(([image, run, server, env = [], found = []]): ContainerCase => ({
    what: `${image} ${run}`,
    containers: [
      { name: 'x', image, run: [...run.matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2] ?? ''), env },
    ],
    servers: server === null ? [] : [server],
    found,
  })),
  ...tags.map(([image, rolls]): ContainerCase => ({
    what: `a tag: ${image}`,
    containers: [{ name: 'x', image }],
    servers: ['vllm org/m 8000'],
    found: rolls ? ['rolling-image container x'] : [],
  })),
  ...(
    [
      [
        'TGI without a key',
        'ghcr.io/huggingface/text-generation-inference:3.3.5',
        ['/tgi-entrypoint.sh', '--model-id', 'org/m'],
        'tgi org/m 80',
        ['PORT=80'],
        ['open-without-key container x'],
      ],
      [
        'TEI with a key',
        'ghcr.io/huggingface/text-embeddings-inference:cpu-1.8',
        ['text-embeddings-router', '--model-id', 'org/m'],
        'text-embeddings-inference org/m 80',
        ['PORT=80', 'API_KEY=s3cr3t'],
        ['secret-in-environment container x', 'tls-off container x'],
      ],
      [
        'TabbyAPI, which asks for a key by itself',
        'ghcr.io/theroyallab/tabbyapi:v1',
        ['python3', 'main.py'],
        'tabbyapi null null',
        [],
        [],
      ],
      [
        'Ollama, which asks for none',
        'ollama/ollama:0.12.3',
        ['/bin/ollama', 'serve'],
        'ollama null null',
        ['OLLAMA_HOST=0.0.0.0'],
        ['open-without-key container x'],
      ],
    ] as const
  ).map(([what, image, run, server, env, found]): ContainerCase => ({
    what: `${what}, published at all addresses`,
    containers: [
      { name: 'x', image, run, env, host: { PortBindings: { '80/tcp': [{ HostIp: '', HostPort: '80' }] } } },
    ],
    servers: [server],
    found,
  })),
]);
