import {
  llamaImage,
  published,
  tryContainers,
  vllmServer,
  withGpu,
} from '../../test/support/container-cases.ts';
import type { ContainerCase, Inspect } from '../../test/support/container-cases.ts';

function one(
  what: string,
  given: Inspect,
  servers: readonly string[],
  found: readonly string[],
): ContainerCase {
  return { what, containers: [given], servers, found };
}

const ollama: Inspect = {
  name: 'ollama',
  image: 'ollama/ollama:0.12.3',
  run: ['/bin/ollama', 'serve'],
  env: [
    'PATH=/usr/bin',
    'NVIDIA_DRIVER_CAPABILITIES=compute,utility',
    'NVIDIA_VISIBLE_DEVICES=all',
    'OLLAMA_HOST=0.0.0.0:11434',
    'LD_LIBRARY_PATH=/usr/local/nvidia/lib',
  ],
};
const isOllama = ['ollama null 11434'];

/** What is met where people try things out. */
tryContainers([
  {
    what: 'Ollama and its pages by compose out of two files, Ollama at loopback',
    containers: [
      {
        ...ollama,
        labels: {
          'com.docker.compose.project': 'ai',
          'com.docker.compose.service': 'ollama',
          'com.docker.compose.project.config_files': '/srv/ai/compose.yaml,/srv/ai/compose.gpu.yaml',
        },
        host: { ...published(11_434, ['127.0.0.1', '11434']), NetworkMode: 'ai_default', ...withGpu },
      },
      {
        name: 'open-webui',
        image: 'ghcr.io/open-webui/open-webui:main',
        run: ['bash', 'start.sh'],
        env: ['OLLAMA_BASE_URL=http://ollama:11434', 'WEBUI_SECRET_KEY=s3cr3t', 'OPENAI_API_KEY='],
        host: published(8080, ['', '3000']),
      },
      {
        name: 'watchtower',
        image: 'containrrr/watchtower:latest',
        run: ['/watchtower'],
        host: { Privileged: true },
      },
    ],
    servers: isOllama,
    found: [],
  },
  one(
    'Ollama as its documentation starts it, for all',
    { ...ollama, host: published(11_434, ['', '11434']) },
    isOllama,
    ['open-without-key container ollama'],
  ),
  one(
    'Ollama in an address of the local network',
    { ...ollama, host: published(11_434, ['192.168.1.10', '11434']) },
    isOllama,
    ['open-without-key container ollama'],
  ),
  one(
    'Ollama with all its variables',
    {
      ...ollama,
      env: [
        ...(ollama.env ?? []),
        'OLLAMA_NUM_PARALLEL=2',
        'OLLAMA_KEEP_ALIVE=-1',
        'OLLAMA_FLASH_ATTENTION=1',
        'OLLAMA_KV_CACHE_TYPE=q8_0',
        'OLLAMA_CONTEXT_LENGTH=8192',
        'OLLAMA_MAX_LOADED_MODELS=1',
        'OLLAMA_ORIGINS=*',
        'OLLAMA_MODELS=/m',
        'OLLAMA_NO_CLOUD=1',
        'OLLAMA_DOCKER_TAG=0.12.3',
        'OLLAMA_VERSION=0.12.3',
      ],
    },
    isOllama,
    [],
  ),
  one(
    'Ollama with a variable that is misspelt',
    { ...ollama, env: [...(ollama.env ?? []), 'OLLAMA_NUM_PARALELL=4'] },
    isOllama,
    ['ignored-variable container ollama'],
  ),
  one(
    'Ollama with a variable that is misspelt by its line',
    { ...ollama, env: [...(ollama.env ?? []), 'OLLAMA_KEEPALIVE=24h'] },
    isOllama,
    ['ignored-variable container ollama'],
  ),
  one('Ollama for AMD, by a tag that rolls', { ...ollama, image: 'ollama/ollama:rocm' }, isOllama, [
    'rolling-image container ollama',
  ]),
  one(
    'Ollama for AMD, by a tag that stays',
    {
      ...ollama,
      image: 'ollama/ollama:0.12.3-rocm',
      host: { Devices: [{ PathOnHost: '/dev/kfd' }, { PathOnHost: '/dev/dri' }] },
    },
    isOllama,
    [],
  ),
  one(
    'Ollama on a Jetson',
    { ...ollama, image: 'dustynv/ollama:0.6.8-r36.4-cu126-22.04', host: { Runtime: 'nvidia' } },
    isOllama,
    [],
  ),
  one(
    'vLLM with what its image and its documentation set',
    {
      env: [
        'VLLM_USAGE_SOURCE=production-docker-image',
        'VLLM_NO_USAGE_STATS=1',
        'VLLM_LOGGING_LEVEL=DEBUG',
        'VLLM_WORKER_MULTIPROC_METHOD=spawn',
        'VLLM_CACHE_ROOT=/c',
        'VLLM_ENABLE_CUDA_COMPATIBILITY=0',
        'VLLM_BUILD_COMMIT=abc',
        'VLLM_IMAGE_TAG=v0.11.0',
        'VLLM_TARGET_DEVICE=cuda',
        'VLLM_MODEL=org/m',
        'VLLM_ARGS=x',
        'HF_HUB_OFFLINE=1',
        'TZ=Europe/Berlin',
      ],
    },
    [vllmServer],
    [],
  ),
  one(
    'vLLM with a variable that is misspelt',
    { env: ['VLLM_LOGING_LEVEL=DEBUG'] },
    [vllmServer],
    ['ignored-variable container vllm'],
  ),
  one(
    'vLLM for AMD by the tag of each night',
    {
      image: 'rocm/vllm-dev:nightly',
      host: { Devices: [{ PathOnHost: '/dev/kfd' }, { PathOnHost: '/dev/dri' }] },
    },
    [vllmServer],
    ['rolling-image container vllm'],
  ),
  one(
    'vLLM for AMD by the tag of a day',
    { image: 'rocm/vllm:rocm6.4.1_vllm_0.9.1_20250702' },
    [vllmServer],
    [],
  ),
  one(
    'vLLM of NVIDIA, behind a script',
    {
      image: 'nvcr.io/nvidia/vllm:25.09-py3',
      run: ['/opt/nvidia/nvidia_entrypoint.sh', 'vllm', 'serve', 'org/m', '--port', '8000'],
    },
    [vllmServer],
    [],
  ),
  one(
    'vLLM for Intel',
    {
      image: 'intel/vllm:0.10.0-xpu',
      run: ['python3', '-m', 'vllm.entrypoints.openai.api_server', '--model', 'org/m', '--port', '8000'],
      host: { Devices: [{ PathOnHost: '/dev/dri' }] },
    },
    [vllmServer],
    [],
  ),
  one(
    'an image of vLLM in which somebody works',
    { run: ['sleep', 'infinity'], host: published(8000, ['', '8000']) },
    [],
    [],
  ),
  one(
    'an image of vLLM in a shell',
    { run: ['/bin/bash'], config: { Tty: true }, host: published(8000, ['', '8000']) },
    [],
    [],
  ),
  one(
    'an image of vLLM that measures',
    { run: ['vllm', 'bench', 'serve', '--model', 'org/m', '--base-url', 'http://127.0.0.1:8000'] },
    [],
    [],
  ),
  one(
    'an image of vLLM with a program of its own',
    { run: ['python3', '/srv/batch.py', '--model', 'org/m'] },
    [],
    [],
  ),
  one(
    'llama.cpp that only writes',
    {
      name: 'llama',
      image: 'ghcr.io/ggml-org/llama.cpp:light-cuda-b6000',
      run: ['/app/llama-cli', '-m', '/m/a.gguf', '-p', 'hi'],
    },
    [],
    [],
  ),
  one(
    'llama.cpp that converts',
    {
      name: 'llama',
      image: 'ghcr.io/ggml-org/llama.cpp:full-cuda-b6000',
      run: ['/app/tools.sh', '--convert', '--outtype', 'f16', '/m'],
    },
    [],
    [],
  ),
  one(
    'llama.cpp with all models of a folder',
    {
      name: 'llama',
      image: llamaImage,
      run: [
        '/app/llama-server',
        '--models-dir',
        '/m',
        '--models-max',
        '2',
        '--host',
        '0.0.0.0',
        '--port',
        '8080',
      ],
      host: { ...published(8080, ['127.0.0.1', '8080']), ...withGpu },
    },
    ['llama-router null 8080'],
    [],
  ),
  one(
    'Open WebUI with an Ollama inside',
    {
      name: 'open-webui',
      image: 'ghcr.io/open-webui/open-webui:ollama',
      run: ['bash', 'start.sh'],
      host: { ...published(8080, ['', '3000']), ...withGpu },
    },
    [],
    [],
  ),
  one(
    'SGLang as its documentation starts it',
    {
      name: 'sglang',
      image: 'lmsysorg/sglang:v0.5.3-cu129',
      run: [
        'python3',
        '-m',
        'sglang.launch_server',
        '--model-path',
        'org/m',
        '--host',
        '0.0.0.0',
        '--port',
        '30000',
        '--tp',
        '2',
      ],
      env: ['HF_TOKEN=s3cr3t'],
      host: { ...published(30_000, ['', '30000']), ...withGpu, ShmSize: 32 * 1024 ** 3, IpcMode: 'host' },
    },
    ['sglang org/m 30000'],
    ['open-without-key container sglang', 'secret-in-environment container sglang'],
  ),
  one(
    'behind Traefik, without a port of its own',
    {
      labels: {
        'traefik.enable': 'true',
        'traefik.http.routers.vllm.rule': 'Host(`llm.lan`)',
        'traefik.http.services.vllm.loadbalancer.server.port': '8000',
      },
      host: { NetworkMode: 'proxy' },
    },
    [vllmServer],
    [],
  ),
  one(
    'rootless, by podman, through pasta',
    { host: { ...published(8000, ['', '8000']), NetworkMode: 'pasta' } },
    [vllmServer],
    ['open-without-key container vllm'],
  ),
  one(
    'rootless, by podman, behind a unit of the user',
    {
      labels: { PODMAN_SYSTEMD_UNIT: 'vllm.service' },
      host: {
        ...published(8000, ['127.0.0.1', '8000']),
        NetworkMode: 'pasta',
        RestartPolicy: { Name: 'no' },
      },
    },
    [vllmServer],
    [],
  ),
  one(
    'LocalAI with a key in its environment',
    {
      name: 'localai',
      image: 'localai/localai:v3.5.0-gpu-nvidia-cuda-12',
      run: ['/entrypoint.sh', 'phi-2'],
      env: ['LOCALAI_API_KEY=s3cr3t'],
      host: published(8080, ['127.0.0.1', '8080']),
    },
    ['localai phi-2 null'],
    ['secret-in-environment container localai'],
  ),
]);
