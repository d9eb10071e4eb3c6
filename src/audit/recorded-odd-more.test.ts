import { tryMachines } from '../../test/support/machine-cases.ts';

const etc = '/etc/systemd/system';
const session = '/user.slice/user-1000.slice/session-3.scope';
const inUnit = { cgroup: '/system.slice/llm.service' };
const a =
  '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8087\n[Install]\nWantedBy=multi-user.target\n';
const on = { 'a.service': {}, 'b.service': {} };
const both = 'port-conflict a.service and b.service';

/** A second unit with these lines beside one on port 8087. */
function beside(
  lines: string,
  more: Readonly<Record<string, string>> = {},
): { files: Record<string, string>; loaded: typeof on } {
  return {
    files: { [`${etc}/a.service`]: a, [`${etc}/b.service`]: `[Service]\n${lines}\n`, ...more },
    loaded: on,
  };
}

const llama = 'ExecStart=/usr/bin/llama-server -m /m/b.gguf';

tryMachines([
  {
    what: 'a server among several commands that run one after the other',
    ...beside(
      `Type=oneshot\nExecStart=/usr/bin/mkdir -p /run/llm\n${llama} --port 8087\nExecStart=/usr/bin/touch /run/llm/up`,
    ),
    found: [both],
  },
  {
    what: 'variables that an empty line has taken back',
    ...beside(`Environment=LLAMA_ARG_PORT=8087\nEnvironment=\nEnvironment=LLAMA_ARG_PORT=8088\n${llama}`),
    found: [],
  },
  {
    what: 'variables that an empty line has taken back, and none after it',
    ...beside(`Environment=LLAMA_ARG_PORT=8087\nEnvironment=\n${llama}`),
    found: [],
  },
  {
    what: 'a variable that is taken out again',
    ...beside(`Environment=LLAMA_ARG_PORT=8087\nUnsetEnvironment=LLAMA_ARG_PORT\n${llama}`),
    found: [],
  },
  {
    what: 'a file of variables over what the unit says',
    ...beside(`EnvironmentFile=/etc/b.env\nEnvironment=LLAMA_ARG_PORT=8088\n${llama}`, {
      '/etc/b.env': 'LLAMA_ARG_PORT=8087',
    }),
    found: [both],
  },
  {
    what: 'a command that a drop-in has taken away',
    ...beside(`${llama} --port 8087`, { [`${etc}/b.service.d/off.conf`]: '[Service]\nExecStart=\n' }),
    found: [],
  },
  {
    what: 'words in quotes of both kinds, and signs by their numbers',
    ...beside(`${llama} '--alias' "a 'b' c" --port=80\\x387`),
    found: [both],
  },
  {
    what: 'folders and names by percent signs',
    ...beside(
      'EnvironmentFile=/etc/llm/%N.env\nExecStart=/usr/bin/llama-server -m /m/%p.gguf --port ${PORT}',
      { '/etc/llm/b.env': 'PORT=8087\n' },
    ),
    found: [both],
  },
  {
    what: 'several variables in one, as words',
    ...beside('Environment="ARGS=-m /m/b.gguf --port 8087"\nExecStart=/usr/bin/llama-server $ARGS'),
    found: [both],
  },
  {
    what: 'a batch of Python with a vLLM in it',
    processes: [
      { pid: 10, argv: ['python3', 'batch.py'], cgroup: session },
      { pid: 11, ppid: 10, argv: ['VLLM::EngineCore'], cgroup: session },
    ],
    found: [],
  },
  {
    what: 'a Triton whose backend is a vLLM',
    processes: [
      {
        pid: 10,
        argv: ['tritonserver', '--model-store', '/models'],
        at: ['127.0.0.1:8000', '127.0.0.1:8001'],
        ...inUnit,
      },
      { pid: 11, ppid: 10, argv: ['triton_python_backend_stub', '/opt/vllm_backend/model.py'], ...inUnit },
      { pid: 12, ppid: 11, argv: ['VLLM::EngineCore'], ...inUnit },
    ],
    servers: ['triton models (process 10)'],
    found: [],
  },
  {
    what: 'what computes for a llama-server elsewhere',
    processes: [
      { pid: 10, argv: ['rpc-server', '-H', '0.0.0.0', '-p', '50052'], at: ['0.0.0.0:50052'], ...inUnit },
    ],
    servers: [],
    found: [],
  },
  {
    what: 'two models on one port of loopback of version 4 and of version 6',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/a.service',
      },
      {
        pid: 20,
        argv: ['llama-server', '-m', '/m/b.gguf', '--host', '::1', '--port', '8080'],
        at: ['[::1]:8080'],
        cgroup: '/system.slice/b.service',
      },
    ],
    found: [],
  },
  {
    what: 'a unit on loopback of version 6 and one on all addresses of version 4',
    files: {
      [`${etc}/a.service`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --host ::1 --port 8080\n',
      [`${etc}/b.service`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/b.gguf --host 0.0.0.0 --port 8080\n',
    },
    loaded: on,
    found: [],
  },
  {
    what: 'two units that share a port, both at it: told once',
    files: {
      [`${etc}/a.service`]: a,
      [`${etc}/b.service`]: a.replace('/m/a', '/m/b'),
    },
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8087'],
        at: ['127.0.0.1:8087'],
        cgroup: '/system.slice/a.service',
      },
      {
        pid: 20,
        argv: ['/usr/bin/llama-server', '-m', '/m/b.gguf', '--port', '8087'],
        at: ['127.0.0.1:8087'],
        cgroup: '/system.slice/b.service',
      },
    ],
    loaded: on,
    found: [both],
  },
  {
    what: 'servers of another user, whose sockets are hidden',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        uid: 998,
        netns: null,
        env: null,
        ...inUnit,
      },
      {
        pid: 20,
        argv: ['vllm', 'serve', 'org/m', '--port', '8080'],
        uid: 998,
        netns: null,
        env: null,
        cgroup: '/system.slice/v.service',
      },
    ],
    found: [],
  },
  {
    what: 'a server of a container on its own network, seen from its machine',
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--host', '0.0.0.0'],
        netns: '200',
        at: ['0.0.0.0:8080'],
        cgroup: '/lxc.payload.ai/system.slice/llm.service',
      },
      {
        pid: 20,
        argv: ['llama-server', '-m', '/m/b.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        ...inUnit,
      },
    ],
    found: [],
  },
  {
    what: 'a limit of memory as version 1 has it, below what the cache of prompts may take',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '9:memory:/system.slice/llm.service\n1:name=systemd:/system.slice/llm.service\n',
      },
    ],
    models: { '/m/a.gguf': 2 },
    files: { '/sys/fs/cgroup/memory/system.slice/llm.service/memory.limit_in_bytes': String(6 * 1024 ** 3) },
    found: ['prompt-cache-over-limit llama.cpp a.gguf (process 10)'],
  },
  {
    what: 'a server whose worker the kernel has ended for memory',
    processes: [
      { pid: 10, argv: ['vllm', 'serve', 'org/m', '--port', '8000'], at: ['127.0.0.1:8000'], ...inUnit },
    ],
    files: {
      '/sys/fs/cgroup/system.slice/llm.service/memory.events': 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\n',
    },
    found: ['out-of-memory vllm org/m (process 10)'],
  },
  {
    what: 'threads above the limit of a slice that lies around the unit',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080', '-t', '8'],
        at: ['127.0.0.1:8080'],
        cgroup: '/llm.slice/llm.service',
      },
    ],
    files: {
      '/sys/fs/cgroup/llm.slice/cpu.max': '400000 100000\n',
      '/sys/fs/cgroup/llm.slice/llm.service/cpu.max': 'max 100000\n',
    },
    found: ['throttled-threads llama.cpp a.gguf (process 10)'],
  },
  {
    what: 'words with breaks of lines, empty words and letters that are none',
    processes: [
      {
        pid: 10,
        argv: [
          'llama-server',
          '',
          '-m',
          '/m/a.gguf',
          '--chat-template',
          '{{ a }}\n{{ b }}',
          '--alias',
          '\uFFFD',
          '--port',
          '8080',
        ],
        at: ['127.0.0.1:8080'],
        ...inUnit,
      },
    ],
    servers: ['llama.cpp a.gguf (process 10)'],
    found: [],
  },
]);
