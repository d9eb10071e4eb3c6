import { tryMachines } from '../../test/support/machine-cases.ts';
import type { MachineProcess } from '../../test/support/machine-cases.ts';

function server(pid: number, argv: readonly string[], more: Partial<MachineProcess> = {}): MachineProcess {
  return {
    pid,
    argv: [...argv, '--port', String(8000 + pid)],
    at: [`127.0.0.1:${8000 + pid}`],
    cgroup: `/system.slice/llm-${pid}.service`,
    ...more,
  };
}

function vllm(pid: number, model = 'org/m', more: Partial<MachineProcess> = {}): MachineProcess[] {
  return [
    server(pid, ['vllm', 'serve', model], more),
    { pid: pid + 1, ppid: pid, argv: ['VLLM::EngineCore'], cgroup: `/system.slice/llm-${pid}.service` },
  ];
}

function llama(pid: number, model: string, more: readonly string[] = []): MachineProcess {
  return server(pid, ['llama-server', '-m', model, ...more]);
}

tryMachines([
  {
    what: 'two GPUs of which one rests',
    processes: vllm(10),
    gpus: [{ used: 70_000 }, { used: 4 }],
    gpuHolders: [{ gpu: 0, pid: 11, used: 69_000 }],
    found: [],
  },
  {
    what: 'one model twice, each on a GPU of its own',
    processes: [...vllm(10), ...vllm(20)],
    gpus: [{ used: 70_000 }, { used: 70_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 69_000 },
      { gpu: 1, pid: 21, used: 69_000 },
    ],
    found: [],
  },
  {
    what: 'one model twice on one GPU',
    processes: [...vllm(10), ...vllm(20)],
    gpus: [{ used: 70_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 35_000 },
      { gpu: 0, pid: 21, used: 35_000 },
    ],
    found: ['duplicate org/m', 'gpu-shared GPU 0'],
  },
  {
    what: 'a server on a GPU whose driver names no process, as in WSL and in containers',
    processes: [llama(10, '/m/a.gguf', ['-ngl', '99'])],
    models: { '/m/a.gguf': 6 },
    gpus: [{ used: 7000 }],
    found: [],
  },
  {
    what: 'the service that lets programs share GPUs',
    processes: [
      ...vllm(10),
      { pid: 30, argv: ['nvidia-cuda-mps-server'], cgroup: '/system.slice/mps.service' },
    ],
    gpus: [{ used: 70_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 69_000 },
      { gpu: 0, pid: 30, name: 'nvidia-cuda-mps-server', used: 30 },
    ],
    found: [],
  },
  {
    what: 'llama-swap with two servers on one GPU, as a group of it has them',
    processes: [
      {
        pid: 9,
        argv: ['llama-swap', '--config', '/etc/ls.yaml', '--listen', '127.0.0.1:8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/ls.service',
      },
      { ...llama(10, '/m/a.gguf'), ppid: 9, cgroup: '/system.slice/ls.service' },
      { ...llama(20, '/m/b.gguf'), ppid: 9, cgroup: '/system.slice/ls.service' },
    ],
    gpus: [{ used: 20_000 }],
    gpuHolders: [
      { gpu: 0, pid: 10, name: 'llama-server', used: 9000 },
      { gpu: 0, pid: 20, name: 'llama-server', used: 9000 },
    ],
    servers: ['llama-swap (process 9)'],
    found: [],
  },
  {
    what: 'a picture program beside a server on one GPU',
    processes: [
      ...vllm(10),
      {
        pid: 30,
        argv: ['python', 'main.py', '--listen'],
        cwd: '/opt/ComfyUI',
        cgroup: '/system.slice/comfy.service',
      },
    ],
    gpus: [{ used: 79_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 60_000 },
      { gpu: 0, pid: 30, name: 'python', used: 18_000 },
    ],
    found: ['gpu-foreign GPU 0'],
  },
  {
    what: 'a server that a GPU was taken away from, beside another that computes on it',
    processes: [...vllm(10), llama(20, '/m/a.gguf', ['-ngl', '0'])],
    models: { '/m/a.gguf': 6 },
    gpus: [{ used: 70_000 }],
    gpuHolders: [{ gpu: 0, pid: 11, used: 69_000 }],
    found: [],
  },
  {
    what: 'what turns words into numbers on the CPU, beside a GPU that is full',
    processes: [
      ...vllm(10),
      {
        pid: 20,
        argv: [
          'text-embeddings-router',
          '--model-id',
          'BAAI/bge-m3',
          '--port',
          '8020',
          '--hostname',
          '127.0.0.1',
        ],
        at: ['127.0.0.1:8020'],
        cgroup: '/system.slice/tei.service',
      },
    ],
    gpus: [{ used: 78_000 }],
    gpuHolders: [{ gpu: 0, pid: 11, used: 77_000 }],
    found: [],
  },
  {
    what: 'one file twice, on the GPU and on the CPU',
    processes: [llama(10, '/m/a.gguf', ['-ngl', '99']), llama(20, '/m/a.gguf', ['-ngl', '0'])],
    models: { '/m/a.gguf': 6 },
    gpus: [{ used: 8000 }],
    gpuHolders: [{ gpu: 0, pid: 10, name: 'llama-server', used: 7000 }],
    found: ['duplicate /m/a.gguf'],
  },
]);
