import { tryMachines } from '../../test/support/machine-cases.ts';

const inUnit = { cgroup: '/system.slice/llm.service' };
const llama = ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080'];
const vllm = ['/opt/v/bin/python3', '/opt/v/bin/vllm', 'serve', 'org/m', '--port', '8000'];
const loopback = ['127.0.0.1:8080'];
const isLlama = 'llama.cpp a.gguf (process 10)';

tryMachines([
  {
    what: 'KoboldCpp, which unpacks itself and starts again',
    processes: [
      { pid: 10, argv: ['./koboldcpp-linux-x64', '--model', '/m/a.gguf', '--port', '5001'], ...inUnit },
      {
        pid: 11,
        ppid: 10,
        argv: ['./koboldcpp-linux-x64', '--model', '/m/a.gguf', '--port', '5001'],
        at: ['127.0.0.1:5001'],
        ...inUnit,
      },
    ],
    servers: ['koboldcpp a.gguf (process 10)'],
    found: [],
  },
  {
    what: 'LocalAI with a backend of its own for each model',
    processes: [
      { pid: 10, argv: ['/usr/bin/local-ai', 'run', '--address', '127.0.0.1:8080'], at: loopback, ...inUnit },
      ...[41_001, 41_002].map((port) => ({
        pid: port,
        ppid: 10,
        argv: [
          '/usr/share/local-ai/backends/cpu-llama-cpp/lib/ld.so',
          '/usr/share/local-ai/backends/cpu-llama-cpp/llama-cpp-avx2',
          '--addr',
          `127.0.0.1:${port}`,
        ],
        at: [`127.0.0.1:${port}`],
        ...inUnit,
      })),
    ],
    servers: ['localai (process 10)'],
    found: [],
  },
  {
    what: 'Triton on its three ports, with a process for what is written in Python',
    processes: [
      {
        pid: 10,
        argv: ['tritonserver', '--model-repository=/models'],
        at: ['0.0.0.0:8000', '0.0.0.0:8001', '0.0.0.0:8002'],
        ...inUnit,
      },
      {
        pid: 11,
        ppid: 10,
        argv: [
          '/opt/tritonserver/backends/python/triton_python_backend_stub',
          '/models/llama/1/model.py',
          'triton_python_backend_shm_region_1',
        ],
        ...inUnit,
      },
    ],
    servers: ['triton models (process 10)'],
    found: ['open-without-key triton models (process 10)'],
  },
  {
    what: 'TabbyAPI by the folder that it runs in',
    processes: [
      {
        pid: 10,
        argv: ['/opt/tabbyAPI/venv/bin/python', 'main.py'],
        cwd: '/opt/tabbyAPI',
        at: ['127.0.0.1:5000'],
        ...inUnit,
      },
    ],
    servers: ['tabbyapi (process 10)'],
    found: [],
  },
  {
    what: 'LM Studio as an image of itself, with its windows',
    processes: [
      {
        pid: 10,
        argv: ['/tmp/.mount_LM-Stuabc/lm-studio', '--no-sandbox'],
        at: ['127.0.0.1:1234'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-lmstudio-1.scope',
      },
      {
        pid: 11,
        ppid: 10,
        argv: ['/tmp/.mount_LM-Stuabc/lm-studio --type=zygote --no-sandbox'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-lmstudio-1.scope',
      },
      {
        pid: 12,
        ppid: 11,
        argv: ['/tmp/.mount_LM-Stuabc/lm-studio --type=renderer'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-lmstudio-1.scope',
      },
    ],
    servers: ['lm-studio (process 10)'],
    found: ['unmanaged lm-studio (process 10)'],
  },
  {
    what: 'llama-swap whose servers are behind shells and wrappers',
    processes: [
      {
        pid: 10,
        argv: ['/usr/local/bin/llama-swap', '--config', '/etc/ls.yaml', '--listen', '127.0.0.1:8080'],
        at: loopback,
        ...inUnit,
      },
      {
        pid: 11,
        ppid: 10,
        argv: ['bash', '-c', 'numactl -N 0 llama-server -m /m/a.gguf --port 5800; true'],
        ...inUnit,
      },
      {
        pid: 12,
        ppid: 11,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '5800'],
        at: ['127.0.0.1:5800'],
        ...inUnit,
      },
      {
        pid: 13,
        ppid: 10,
        argv: ['/opt/v/bin/python3', '/opt/v/bin/vllm', 'serve', 'org/m', '--port', '5801'],
        at: ['127.0.0.1:5801'],
        ...inUnit,
      },
      { pid: 14, ppid: 13, argv: ['VLLM::EngineCore'], ...inUnit },
    ],
    servers: ['llama-swap (process 10)'],
    found: [],
  },
  {
    what: 'a shell that starts a server again each time, between two of them',
    processes: [
      {
        pid: 10,
        argv: ['bash', '-c', 'while true; do llama-server -m /m/a.gguf --port 8080; sleep 5; done'],
        ...inUnit,
      },
      { pid: 11, ppid: 10, argv: ['sleep', '5'], ...inUnit },
    ],
    servers: [],
    found: [],
  },
  {
    what: 'what records a terminal around a server',
    processes: [
      { pid: 10, argv: ['script', '-qfc', 'vllm serve org/m --port 8000', '/tmp/vllm.log'], ...inUnit },
      { pid: 11, ppid: 10, argv: ['bash', '-c', 'vllm serve org/m --port 8000'], ...inUnit },
      { pid: 12, ppid: 11, argv: vllm, at: ['127.0.0.1:8000'], ...inUnit },
    ],
    servers: ['vllm org/m (process 12)'],
    found: [],
  },
  {
    what: 'conda, its shell script and the server in it',
    processes: [
      {
        pid: 10,
        argv: [
          '/opt/conda/bin/python',
          '/opt/conda/bin/conda',
          'run',
          '--no-capture-output',
          '-n',
          'v',
          'vllm',
          'serve',
          'org/m',
        ],
        ...inUnit,
      },
      { pid: 11, ppid: 10, argv: ['/bin/bash', '/tmp/tmpx1y2z3'], ...inUnit },
      { pid: 12, ppid: 11, argv: vllm, at: ['127.0.0.1:8000'], ...inUnit },
    ],
    servers: ['vllm org/m (process 12)'],
    found: [],
  },
  {
    what: 'a server that an earlier server of its own left a client of, which holds its socket',
    processes: [
      { pid: 10, argv: llama, at: loopback, ...inUnit },
      { pid: 11, ppid: 1, argv: ['sleep', 'infinity'], holds: 10, ...inUnit },
    ],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'a llamafile in the loader that its kind of program brings',
    processes: [
      {
        pid: 10,
        argv: ['/home/me/.ape-1.10', './Qwen3-8B.llamafile', '--server', '--port', '8080'],
        at: loopback,
        ...inUnit,
      },
    ],
    servers: ['llama.cpp Qwen3-8B.llamafile (process 10)'],
    found: [],
  },
  {
    what: 'SGLang by torchrun, a worker for each GPU',
    processes: [
      {
        pid: 10,
        argv: [
          '/opt/v/bin/python3',
          '/opt/v/bin/torchrun',
          '--nproc_per_node',
          '2',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/m',
          '--port',
          '30000',
        ],
        ...inUnit,
      },
      ...[11, 12].map((pid) => ({
        pid,
        ppid: 10,
        argv: [
          '/opt/v/bin/python3',
          '-u',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/m',
          '--port',
          '30000',
        ],
        at: pid === 11 ? ['127.0.0.1:30000'] : [],
        ...inUnit,
      })),
    ],
    servers: ['sglang org/m (process 11)'],
    found: [],
  },
  {
    what: 'two Ollamas of one shell, whose variables tell them apart',
    processes: [
      {
        pid: 9,
        argv: ['sh', '-c', 'OLLAMA_HOST=:11434 ollama serve & OLLAMA_HOST=:11435 ollama serve'],
        ...inUnit,
      },
      ...[11_434, 11_435].map((port) => ({
        pid: port,
        ppid: 9,
        argv: ['ollama', 'serve'],
        env: { OLLAMA_HOST: `127.0.0.1:${port}` },
        at: [`127.0.0.1:${port}`],
        ...inUnit,
      })),
    ],
    servers: ['ollama (process 11434)', 'ollama (process 11435)'],
    found: [],
  },
  {
    what: 'SGLang by Slurm, a task for each GPU',
    processes: [
      { pid: 9, argv: ['slurmstepd: [17.0]'], ...inUnit },
      ...[11, 12].map((pid) => ({
        pid,
        ppid: 9,
        argv: [
          '/opt/v/bin/python3',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/m',
          '--port',
          '30000',
        ],
        at: pid === 11 ? ['127.0.0.1:30000'] : [],
        ...inUnit,
      })),
    ],
    servers: ['sglang org/m (process 11)'],
    found: [],
  },
]);
