import { tryMachines } from '../../test/support/machine-cases.ts';
import { etc, user, unit, ollamaUnit, ollama, llama, vllm } from '../../test/support/usual-machine.ts';

tryMachines([
  {
    what: 'a home lab: Ollama, Open WebUI in a container, and a llama-server that was forgotten in tmux',
    files: { [`${etc}/ollama.service`]: ollamaUnit },
    loaded: { 'ollama.service': {} },
    processes: [
      ollama,
      {
        pid: 20,
        argv: [
          '/usr/local/bin/python3',
          '/usr/local/bin/uvicorn',
          'open_webui.main:app',
          '--host',
          '0.0.0.0',
          '--port',
          '8080',
          '--forwarded-allow-ips',
          '*',
        ],
        at: ['0.0.0.0:8080'],
        netns: '200',
        cgroup: `/system.slice/docker-${'a1'.repeat(32)}.scope`,
      },
      {
        pid: 21,
        argv: [
          '/usr/bin/docker-proxy',
          '-proto',
          'tcp',
          '-host-ip',
          '0.0.0.0',
          '-host-port',
          '3000',
          '-container-ip',
          '172.17.0.2',
          '-container-port',
          '8080',
        ],
        at: ['0.0.0.0:3000'],
        cgroup: '/system.slice/docker.service',
      },
      { pid: 30, argv: ['tmux', 'new', '-s', 'ai'], cgroup: `${user}/tmux-spawn-1.scope` },
      { pid: 31, ppid: 30, argv: ['-bash'], cgroup: `${user}/tmux-spawn-1.scope` },
      {
        pid: 32,
        ppid: 31,
        argv: ['./llama-server', '-m', 'qwen.gguf', '--host', '0.0.0.0', '--port', '8081'],
        at: ['0.0.0.0:8081'],
        cgroup: `${user}/tmux-spawn-1.scope`,
      },
    ],
    servers: ['llama.cpp qwen.gguf (process 32)', 'ollama (process 10)'],
    found: [
      'open-without-key llama.cpp qwen.gguf (process 32)',
      'unmanaged llama.cpp qwen.gguf (process 32)',
    ],
  },
  {
    what: 'Ollama with the two runners of two models, as its newer kinds are named',
    files: { [`${etc}/ollama.service`]: ollamaUnit },
    loaded: { 'ollama.service': {} },
    processes: [
      ollama,
      {
        pid: 11,
        ppid: 10,
        argv: [
          '/usr/local/bin/ollama',
          'runner',
          '--ollama-engine',
          '--model',
          '/usr/share/ollama/.ollama/models/blobs/sha256-aa',
          '--port',
          '40001',
        ],
        at: ['127.0.0.1:40001'],
        cgroup: ollama.cgroup as string,
      },
      {
        pid: 12,
        ppid: 10,
        argv: [
          '/usr/local/bin/ollama',
          'runner',
          '--model',
          '/usr/share/ollama/.ollama/models/blobs/sha256-bb',
          '--port',
          '40002',
        ],
        at: ['127.0.0.1:40002'],
        cgroup: ollama.cgroup as string,
      },
    ],
    gpus: [{ used: 20_000 }],
    gpuHolders: [
      { gpu: 0, pid: 11, name: '/usr/local/bin/ollama', used: 9000 },
      { gpu: 0, pid: 12, name: '/usr/local/bin/ollama', used: 9000 },
    ],
    servers: ['ollama (process 10)'],
    found: [],
  },
  {
    what: 'Ollama of a snap, which its daemon keeps',
    files: {
      [`${etc}/snap.ollama.listener.service`]:
        '[Service]\nExecStart=/usr/bin/snap run ollama.listener\nRestart=on-failure\n[Install]\nWantedBy=multi-user.target\n',
    },
    loaded: { 'snap.ollama.listener.service': {} },
    processes: [
      {
        pid: 9,
        argv: ['/bin/bash', '/snap/ollama/105/serve.sh'],
        cgroup: '/system.slice/snap.ollama.listener.service',
      },
      {
        ...ollama,
        ppid: 9,
        argv: ['/snap/ollama/105/bin/ollama', 'serve'],
        cgroup: '/system.slice/snap.ollama.listener.service',
      },
    ],
    servers: ['ollama (process 10)'],
    found: [],
  },
  {
    what: 'Ollama as NixOS has it: a wrapper, and units that are links',
    files: {
      '/nix/store/abc-unit-ollama.service/ollama.service':
        '[Service]\nEnvironment="OLLAMA_HOST=127.0.0.1:11434"\nExecStart=/nix/store/xyz-ollama-0.12.3/bin/ollama serve\n',
    },
    links: { [`${etc}/ollama.service`]: '/nix/store/abc-unit-ollama.service/ollama.service' },
    loaded: { 'ollama.service': {} },
    processes: [
      {
        ...ollama,
        argv: ['/nix/store/xyz-ollama-0.12.3/bin/.ollama-wrapped', 'serve'],
        env: { OLLAMA_HOST: '127.0.0.1:11434' },
      },
    ],
    servers: ['ollama (process 10)'],
    found: [],
  },
  {
    what: 'an orchestra of variables of Ollama, all of which it reads',
    files: {
      [`${etc}/ollama.service`]: ollamaUnit,
      [`${etc}/ollama.service.d/override.conf`]:
        '[Service]\nEnvironment="OLLAMA_FLASH_ATTENTION=1" "OLLAMA_KV_CACHE_TYPE=q8_0" "OLLAMA_KEEP_ALIVE=24h" "OLLAMA_MAX_LOADED_MODELS=2" "OLLAMA_NUM_PARALLEL=4" "OLLAMA_CONTEXT_LENGTH=32768" "OLLAMA_SCHED_SPREAD=1" "OLLAMA_MODELS=/tank/ollama" "OLLAMA_ORIGINS=*" "OLLAMA_GPU_OVERHEAD=0" "OLLAMA_LOAD_TIMEOUT=10m" "OLLAMA_NOPRUNE=1" "OLLAMA_MULTIUSER_CACHE=1" "OLLAMA_MAX_QUEUE=64" "OLLAMA_LLM_LIBRARY=cuda_v12" "OLLAMA_NEW_ENGINE=1" "OLLAMA_DEBUG=1"\n',
    },
    loaded: { 'ollama.service': {} },
    found: [],
  },
  {
    what: 'Ollama with variables that are misspelt in its unit',
    files: {
      [`${etc}/ollama.service`]: ollamaUnit,
      [`${etc}/ollama.service.d/override.conf`]:
        '[Service]\nEnvironment="OLLAMA_KEEPALIVE=24h" "OLLAMA_NUM_PARALELL=4"\n',
    },
    loaded: { 'ollama.service': {} },
    found: ['ignored-variable ollama.service'],
  },
  {
    what: 'a host of containers of Proxmox, one of which has Ollama in a unit of its own',
    processes: [
      {
        pid: 8,
        argv: ['/usr/bin/lxc-start', '-F', '-n', '101'],
        cgroup: '/system.slice/pve-container@101.service',
      },
      { pid: 9, ppid: 8, argv: ['/sbin/init'], netns: '300', cgroup: '/lxc/101/ns/init.scope' },
      { ...ollama, ppid: 9, netns: '300', cgroup: '/lxc/101/ns/system.slice/ollama.service' },
    ],
    servers: ['ollama (process 10)'],
    found: [],
  },
  {
    what: 'a job of Slurm with groups of version 1',
    processes: [{ ...vllm(10, 'org/m'), cgroup: '/slurm/uid_1000/job_12/step_batch' }],
    found: ['unmanaged vllm org/m (process 10)'],
  },
  {
    what: 'a server in a pod of k3s and one of the machine, on the same port in two networks',
    processes: [
      {
        pid: 5,
        argv: ['/usr/local/bin/k3s', 'server'],
        at: ['0.0.0.0:6443', '127.0.0.1:10248'],
        cgroup: '/system.slice/k3s.service',
      },
      {
        pid: 6,
        argv: [
          '/var/lib/rancher/k3s/data/x/bin/containerd-shim-runc-v2',
          '-namespace',
          'k8s.io',
          '-id',
          'f00',
        ],
        cgroup: '/system.slice/k3s.service',
      },
      {
        pid: 7,
        ppid: 6,
        argv: ['/pause'],
        netns: '400',
        cgroup: `/kubepods/besteffort/pod0d0d0d0d-1111-2222-3333-444444444444/${'b2'.repeat(32)}`,
      },
      {
        pid: 8,
        ppid: 6,
        argv: ['/app/llama-server', '-m', '/m/b.gguf', '--host', '0.0.0.0', '--port', '8010'],
        at: ['0.0.0.0:8010'],
        netns: '400',
        cgroup: `/kubepods/besteffort/pod0d0d0d0d-1111-2222-3333-444444444444/${'c3'.repeat(32)}`,
      },
      llama(10, ['-m', '/m/a.gguf']),
    ],
    servers: ['llama.cpp a.gguf (process 10)', 'llama.cpp b.gguf (process 8)'],
    found: [],
  },
  {
    what: 'a unit whose description names another port than it has',
    files: {
      [`${etc}/kimi.service`]:
        '[Unit]\nDescription=Kimi-VL on port 8081 (GPU 1)\n[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8080\n[Install]\nWantedBy=multi-user.target\n',
    },
    loaded: { 'kimi.service': {} },
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/kimi.service',
      },
    ],
    found: [],
  },
  {
    what: 'copies of a unit that editors and packages leave, and a folder of drop-ins without its unit',
    files: {
      [`${etc}/kimi.service`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8010\n[Install]\nWantedBy=multi-user.target\n',
      [`${etc}/kimi.service.bak`]: '[Service]\nExecStart=/usr/bin/llama-server -m /m/old.gguf --port 8010\n',
      [`${etc}/kimi.service~`]: '[Service]\nExecStart=/usr/bin/llama-server -m /m/old.gguf --port 8010\n',
      [`${etc}/.kimi.service.swp`]: '[Service]\nExecStart=/usr/bin/llama-server -m /m/old.gguf --port 8010\n',
      [`${etc}/kimi.service.dpkg-old`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/old.gguf --port 8010\n',
      [`${etc}/gone.service.d/override.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8010\n',
    },
    loaded: { 'kimi.service': {} },
    processes: [llama(10, ['-m', '/m/a.gguf'], { cgroup: '/system.slice/kimi.service' })],
    found: [],
  },
  {
    what: 'one template with two instances, whose ports stand in files of their own',
    files: {
      [`${etc}/llama@.service`]:
        '[Service]\nEnvironmentFile=/etc/llama/%i.env\nExecStart=/usr/bin/llama-server -m /m/%i.gguf --port ${PORT}\n[Install]\nWantedBy=multi-user.target\n',
      '/etc/llama/chat.env': '# the big one\nPORT=8080\n',
      '/etc/llama/code.env': '# the small one\nPORT=8081\n',
    },
    loaded: { 'llama@chat.service': {}, 'llama@code.service': {} },
    found: [],
  },
  {
    what: 'a unit that starts a script, which counts the GPUs and starts the server',
    files: {
      [`${etc}/llm.service`]:
        '[Service]\nExecStart=/opt/llm/start.sh\n[Install]\nWantedBy=multi-user.target\n',
      '/opt/llm/start.sh': '#!/bin/bash\nexec vllm serve org/m --port 8010 -tp $(nvidia-smi -L | wc -l)\n',
    },
    loaded: { 'llm.service': {} },
    processes: [
      { pid: 9, argv: ['/bin/bash', '/opt/llm/start.sh'], ...unit },
      { ...vllm(10, 'org/m', ['-tp', '2']), ppid: 9, ...unit },
    ],
    servers: ['vllm org/m (process 10)'],
    found: [],
  },
  {
    what: 'llama-server behind a web server with a certificate',
    processes: [
      llama(10, ['-m', '/m/a.gguf']),
      {
        pid: 20,
        argv: ['nginx: master process /usr/sbin/nginx -g daemon on; master_process on;'],
        at: ['0.0.0.0:443', '0.0.0.0:80'],
        cgroup: '/system.slice/nginx.service',
      },
      {
        pid: 21,
        ppid: 20,
        argv: ['nginx: worker process'],
        holds: 20,
        cgroup: '/system.slice/nginx.service',
      },
      {
        pid: 30,
        argv: ['/usr/bin/caddy', 'run', '--environ', '--config', '/etc/caddy/Caddyfile'],
        at: ['127.0.0.1:2019'],
        cgroup: '/system.slice/caddy.service',
      },
    ],
    servers: ['llama.cpp a.gguf (process 10)'],
    found: [],
  },
]);
