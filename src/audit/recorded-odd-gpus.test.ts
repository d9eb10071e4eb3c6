import { tryMachines } from '../../test/support/machine-cases.ts';
import type { MachineProcess } from '../../test/support/machine-cases.ts';

function vllm(pid: number, model: string): MachineProcess {
  return {
    pid,
    argv: ['vllm', 'serve', model, '--port', String(8000 + pid)],
    at: [`127.0.0.1:${8000 + pid}`],
    cgroup: `/system.slice/vllm-${pid}.service`,
  };
}

function core(pid: number, ppid: number, more: Partial<MachineProcess> = {}): MachineProcess {
  return { pid, ppid, argv: ['VLLM::EngineCore'], cgroup: `/system.slice/vllm-${ppid}.service`, ...more };
}

const two = [vllm(10, 'org/a'), core(11, 10), vllm(20, 'org/b'), core(21, 20)];

tryMachines([
  {
    what: 'two servers on one GPU, each by its worker',
    processes: two,
    gpus: [{ used: 70_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 35_000 },
      { gpu: 0, pid: 21, used: 35_000 },
    ],
    found: ['gpu-shared GPU 0'],
  },
  {
    what: 'two servers on parts of a GPU that is divided',
    processes: two,
    gpus: [{ used: 70_000, mig: true }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: null },
      { gpu: 0, pid: 21, used: null },
    ],
    found: [],
  },
  {
    what: 'a server and a training on parts of a GPU that is divided',
    processes: two.slice(0, 2),
    gpus: [{ used: 70_000, mig: true }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 30_000 },
      { gpu: 0, pid: 99, used: 35_000 },
    ],
    found: [],
  },
  {
    what: 'two servers on two GPUs',
    processes: two,
    gpus: [{ used: 35_000 }, { used: 35_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 35_000 },
      { gpu: 1, pid: 21, used: 35_000 },
    ],
    found: [],
  },
  {
    what: 'one server over two GPUs',
    processes: [
      vllm(10, 'org/a'),
      core(11, 10),
      { ...core(12, 11), argv: ['VLLM::Worker_TP0'] },
      { ...core(13, 11), argv: ['VLLM::Worker_TP1'] },
    ],
    gpus: [{ used: 35_000 }, { used: 35_000 }],
    gpuHolders: [
      { gpu: 0, pid: 12, used: 35_000 },
      { gpu: 1, pid: 13, used: 35_000 },
    ],
    found: [],
  },
  {
    what: 'a worker that its dead server has left on a GPU, beside a new server',
    processes: [vllm(10, 'org/a'), core(11, 10), core(30, 1)],
    gpus: [{ used: 80_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 10_000 },
      { gpu: 0, pid: 30, used: 70_000 },
    ],
    found: ['gpu-shared GPU 0', 'not-answering vllm (process 30)'],
  },
  {
    what: 'a desktop beside a server',
    processes: [...two.slice(0, 2), { pid: 40, argv: ['/usr/lib/xorg/Xorg', ':0'] }],
    gpus: [{ used: 40_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 35_000 },
      { gpu: 0, pid: 40, name: '/usr/lib/xorg/Xorg', used: 300 },
    ],
    found: [],
  },
  {
    what: 'a training beside a server',
    processes: [...two.slice(0, 2), { pid: 40, argv: ['python3', 'train.py'] }],
    gpus: [{ used: 60_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, used: 35_000 },
      { gpu: 0, pid: 40, used: 20_000 },
    ],
    found: ['gpu-foreign GPU 0'],
  },
  {
    what: 'a server whose memory the driver does not tell, as on Windows',
    processes: two.slice(0, 2),
    gpus: [{ used: 35_000 }],
    gpuHolders: [{ gpu: 0, pid: 11, used: null }],
    found: [],
  },
  {
    what: 'a runner of Ollama on a GPU',
    processes: [
      { pid: 10, argv: ['ollama', 'serve'], at: ['127.0.0.1:11434'], cgroup: '/system.slice/ollama.service' },
      {
        pid: 11,
        ppid: 10,
        argv: ['ollama', 'runner', '--model', '/o/blobs/sha256-1', '--port', '41001'],
        at: ['127.0.0.1:41001'],
        cgroup: '/system.slice/ollama.service',
      },
    ],
    gpus: [{ used: 9000 }],
    gpuHolders: [{ gpu: 0, pid: 11, name: '/usr/local/bin/ollama', used: 8000 }],
    found: [],
  },
  {
    what: 'a server on the CPU beside a GPU that nobody uses',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    models: { '/m/a.gguf': 6 },
    gpus: [{ used: 4 }],
    found: ['gpu-idle llama.cpp a.gguf (process 10)'],
  },
  {
    what: 'a server on the CPU beside a GPU that a divided use has',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    models: { '/m/a.gguf': 6 },
    gpus: [{ used: 4, mig: true }],
    found: [],
  },
  {
    what: 'a model in parts that no GPU holds as a whole',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a-00001-of-00003.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    models: {
      '/m/a-00001-of-00003.gguf': 40,
      '/m/a-00002-of-00003.gguf': 40,
      '/m/a-00003-of-00003.gguf': 40,
    },
    gpus: [{ used: 4 }],
    found: [],
  },
]);
