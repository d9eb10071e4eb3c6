import {
  llamaImage,
  tryContainers,
  vllmRun,
  vllmServer,
  withGpu,
} from '../../test/support/container-cases.ts';
import type { ContainerCase } from '../../test/support/container-cases.ts';

const llamaRun = ['/app/llama-server', '-m', '/m/a.gguf', '--host', '0.0.0.0', '--port', '8080'];
const llamaServer = 'llama.cpp /m/a.gguf 8080';

function one(
  what: string,
  given: ContainerCase['containers'][number],
  found: readonly string[],
): ContainerCase {
  return { what, containers: [given], servers: [vllmServer], found };
}

tryContainers([
  {
    what: 'layers on a GPU that it was not given',
    containers: [{ name: 'llama', image: llamaImage, run: [...llamaRun, '-ngl', '99'] }],
    servers: [llamaServer],
    found: ['gpu-layers-without-gpu container llama'],
  },
  {
    what: 'layers on a GPU, with an image for the CPU',
    containers: [
      {
        name: 'llama',
        image: 'mirror.local:5000/ggml-org/llama.cpp:server-b6000',
        run: [...llamaRun, '-ngl', '99'],
        host: withGpu,
      },
    ],
    servers: [llamaServer],
    found: ['gpu-layers-without-gpu container llama'],
  },
  ...[
    withGpu,
    { DeviceRequests: [{ Driver: 'nvidia', Count: 0, DeviceIDs: ['0'], Capabilities: [['gpu']] }] },
    { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=0'] }] },
    { Devices: [{ PathOnHost: '/dev/nvidia0', PathInContainer: '/dev/nvidia0' }] },
    { Devices: [{ PathOnHost: '/dev/kfd' }, { PathOnHost: '/dev/dri' }] },
    { Runtime: 'nvidia' },
    { Privileged: true },
  ].map((host): ContainerCase => ({
    what: `layers on a GPU that it was given by ${JSON.stringify(host)}`,
    containers: [{ name: 'llama', image: llamaImage, run: [...llamaRun, '-ngl', '99'], host }],
    servers: [llamaServer],
    found: 'Privileged' in host ? ['privileged container llama'] : [],
  })),
  {
    what: 'layers on GPUs of other machines',
    containers: [
      { name: 'llama', image: llamaImage, run: [...llamaRun, '-ngl', '99', '--rpc', '10.0.0.2:50052'] },
    ],
    servers: [llamaServer],
    found: [],
  },
  one(
    'two GPUs and the little shared memory of podman',
    {
      run: [...vllmRun, '-tp', '2'],
      host: { ...withGpu, ShmSize: 65_536_000, IpcMode: 'shareable' },
    },
    ['missing-shm container vllm'],
  ),
  one(
    'two GPUs and enough shared memory',
    { run: [...vllmRun, '-tp', '2'], host: { ...withGpu, ShmSize: 8 * 1024 ** 3 } },
    [],
  ),
  {
    what: 'SGLang over two GPUs with little shared memory',
    containers: [
      {
        name: 'sglang',
        image: 'lmsysorg/sglang:v0.5.3-cu126',
        run: [
          '/opt/nvidia/nvidia_entrypoint.sh',
          'python3',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/m',
          '--tp',
          '2',
        ],
        host: withGpu,
      },
    ],
    servers: ['sglang org/m null'],
    found: ['missing-shm container sglang'],
  },
]);
