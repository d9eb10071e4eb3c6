import { tryMachines } from '../../test/support/machine-cases.ts';
import { etc, user, unit, ollamaUnit, ollama, llama, vllm } from '../../test/support/usual-machine.ts';

tryMachines([
  {
    what: 'other things that compute: pictures, speech, a proxy, a notebook, a vector database',
    processes: [
      {
        pid: 10,
        argv: ['/opt/ComfyUI/venv/bin/python', 'main.py', '--listen', '0.0.0.0', '--port', '8188'],
        at: ['0.0.0.0:8188'],
        cwd: '/opt/ComfyUI',
        cgroup: '/system.slice/comfyui.service',
      },
      {
        pid: 11,
        argv: [
          '/opt/whisper.cpp/whisper-server',
          '-m',
          '/m/ggml-large-v3.bin',
          '--host',
          '0.0.0.0',
          '--port',
          '8082',
        ],
        at: ['0.0.0.0:8082'],
        ...unit,
      },
      {
        pid: 12,
        argv: [
          '/opt/litellm/bin/python',
          '/opt/litellm/bin/litellm',
          '--config',
          '/etc/litellm.yaml',
          '--port',
          '4000',
        ],
        at: ['0.0.0.0:4000'],
        ...unit,
      },
      {
        pid: 13,
        argv: [
          '/opt/wyoming/bin/python3',
          '-m',
          'wyoming_faster_whisper',
          '--uri',
          'tcp://0.0.0.0:10300',
          '--model',
          'large',
        ],
        at: ['0.0.0.0:10300'],
        ...unit,
      },
      {
        pid: 14,
        argv: ['/usr/bin/python3', 'launch.py', '--listen', '--api', '--port', '7860'],
        at: ['0.0.0.0:7860'],
        cwd: '/opt/stable-diffusion-webui',
        ...unit,
      },
      {
        pid: 15,
        argv: ['/usr/bin/piper', '--model', 'de.onnx', '--port', '5000'],
        at: ['0.0.0.0:5000'],
        ...unit,
      },
      {
        pid: 16,
        argv: ['sd-server', '-m', '/m/flux.gguf', '--listen-port', '1234'],
        at: ['0.0.0.0:1234'],
        ...unit,
      },
    ],
    servers: [],
    found: [],
  },
  {
    what: 'one model file as the draft of a large one, and served by itself',
    processes: [llama(10, ['-m', '/m/big.gguf', '-md', '/m/small.gguf']), llama(20, ['-m', '/m/small.gguf'])],
    models: { '/m/big.gguf': 40, '/m/small.gguf': 1 },
    found: [],
  },
  {
    what: 'one file that chats, and embeds in a second server',
    processes: [
      llama(10, ['-m', '/m/q.gguf']),
      llama(20, ['-m', '/m/q.gguf', '--embeddings', '--pooling', 'last']),
    ],
    models: { '/m/q.gguf': 5 },
    found: [],
  },
  {
    what: 'one vLLM that reads prompts and one that writes answers, for each other',
    processes: [
      vllm(10, 'org/m', ['--kv-transfer-config', '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}']),
      vllm(20, 'org/m', ['--kv-transfer-config', '{"kv_connector":"NixlConnector","kv_role":"kv_consumer"}']),
    ],
    found: [],
  },
  {
    what: 'an SGLang that reads prompts and one that writes answers',
    processes: ['prefill', 'decode'].map((mode, nth) => ({
      pid: 10 + nth,
      argv: [
        'python3',
        '-m',
        'sglang.launch_server',
        '--model-path',
        'org/m',
        '--disaggregation-mode',
        mode,
        '--port',
        String(30_000 + nth),
      ],
      at: [`127.0.0.1:${30_000 + nth}`],
      cgroup: `/system.slice/sgl-${mode}.service`,
    })),
    found: [],
  },
  {
    what: 'one model on the NAS by two paths of one mount, one of which is a link',
    processes: [llama(10, ['-m', '/mnt/nas/models/a.gguf']), llama(20, ['-m', '/srv/models/a.gguf'])],
    models: { '/mnt/nas/models/a.gguf': 20 },
    links: { '/srv/models': '/mnt/nas/models' },
    found: ['duplicate /mnt/nas/models/a.gguf'],
  },
  {
    what: 'a program with the port of a new server, of another kind',
    processes: [
      {
        pid: 20,
        argv: ['java', '-jar', '/usr/share/jenkins/jenkins.war', '--httpPort=8010'],
        at: ['[::]:8010'],
        cgroup: '/system.slice/jenkins.service',
      },
      llama(10, ['-m', '/m/a.gguf', '--host', '0.0.0.0'], { at: [] }),
    ],
    found: ['port-held llama.cpp a.gguf (process 10)'],
  },
  {
    what: 'a server at an address of a private network between machines (100.64.0.0/10)',
    processes: [
      llama(10, ['-m', '/m/a.gguf', '--host', '100.101.102.103'], { at: ['100.101.102.103:8010'] }),
    ],
    found: ['open-without-key llama.cpp a.gguf (process 10)'],
  },
  {
    what: 'text-generation-webui with its pages and its API on all addresses',
    processes: [
      {
        pid: 10,
        argv: [
          '/opt/tgw/env/bin/python',
          'server.py',
          '--api',
          '--listen',
          '--model',
          'a.gguf',
          '--loader',
          'llama.cpp',
        ],
        at: ['0.0.0.0:7860', '0.0.0.0:5000'],
        cwd: '/opt/text-generation-webui',
        ...unit,
      },
      {
        pid: 11,
        ppid: 10,
        argv: [
          '/opt/tgw/env/lib/python3.11/site-packages/llama_cpp_binaries/bin/llama-server',
          '--model',
          'user_data/models/a.gguf',
          '--ctx-size',
          '8192',
          '--port',
          '55001',
          '--no-webui',
        ],
        at: ['127.0.0.1:55001'],
        cwd: '/opt/text-generation-webui',
        ...unit,
      },
    ],
    found: ['open-without-key text-generation-webui a.gguf (process 10)'],
  },
  {
    what: 'a server that VS Code has started for its completions',
    processes: [
      {
        pid: 9,
        argv: ['/usr/share/code/code', '--type=utility'],
        cgroup: `${user}/app.slice/app-gnome-code-4711.scope`,
      },
      llama(10, ['--fim-qwen-1.5b-default'], {
        ppid: 9,
        cgroup: `${user}/app.slice/app-gnome-code-4711.scope`,
      }),
    ],
    found: ['unmanaged llama.cpp (process 10)'],
  },
  {
    what: 'a reload that is due: the file says another port than what runs',
    files: {
      [`${etc}/llm.service`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8011\n[Install]\nWantedBy=multi-user.target\n',
    },
    loaded: { 'llm.service': { NeedDaemonReload: 'yes' } },
    processes: [llama(10, ['-m', '/m/a.gguf'], unit)],
    found: ['runs-otherwise llm.service', 'unit-not-reloaded llm.service'],
  },
  {
    what: 'a drop-in that opens Ollama, written after Ollama had started',
    files: {
      [`${etc}/ollama.service`]: ollamaUnit,
      [`${etc}/ollama.service.d/override.conf`]: '[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0"\n',
    },
    loaded: { 'ollama.service': {} },
    processes: [ollama],
    found: ['runs-otherwise ollama.service'],
  },
  {
    what: 'a unit that was bound to loopback, whose server still answers for all',
    files: {
      [`${etc}/llm.service`]:
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --host 127.0.0.1 --port 8010\n[Install]\nWantedBy=multi-user.target\n',
    },
    loaded: { 'llm.service': {} },
    processes: [
      {
        ...llama(10, ['-m', '/m/a.gguf', '--host', '0.0.0.0'], unit),
        at: ['0.0.0.0:8010'],
      },
    ],
    found: ['open-without-key llama.cpp a.gguf (process 10)', 'runs-otherwise llm.service'],
  },
  {
    what: 'a server in a toolbox, and the program that leads there',
    processes: [
      {
        pid: 9,
        argv: ['toolbox', 'run', '-c', 'ai', 'llama-server', '-m', '/m/a.gguf', '--port', '8010'],
        cgroup: `${user}/app.slice/vte-spawn-1.scope`,
      },
      {
        pid: 8,
        ppid: 9,
        argv: [
          'podman',
          '--log-level',
          'error',
          'exec',
          '--interactive',
          'ai',
          'capsh',
          '--',
          '-c',
          'exec "$@"',
          '/bin/sh',
          'llama-server',
          '-m',
          '/m/a.gguf',
          '--port',
          '8010',
        ],
        cgroup: `${user}/app.slice/vte-spawn-1.scope`,
      },
      {
        pid: 7,
        argv: ['/usr/bin/conmon', '--api-version', '1', '-c', 'c0ffee'],
        cgroup: `${user}/user.slice/libpod-conmon-1.scope`,
      },
      llama(10, ['-m', '/m/a.gguf'], {
        ppid: 7,
        cgroup: `${user}/user.slice/libpod-${'c0'.repeat(32)}.scope/container`,
      }),
    ],
    servers: ['llama.cpp a.gguf (process 10)'],
    found: [],
  },
]);
