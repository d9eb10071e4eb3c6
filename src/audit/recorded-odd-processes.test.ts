import { tryMachines } from '../../test/support/machine-cases.ts';

const inUnit = { cgroup: '/system.slice/llm.service' };
const llama = ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080'];
const vllm = ['/opt/v/bin/python3', '/opt/v/bin/vllm', 'serve', 'org/m', '--port', '8000'];
const loopback = ['127.0.0.1:8080'];
const isLlama = 'llama.cpp a.gguf (process 10)';

/** A web server at one address of several. */
const elsewhere = {
  pid: 20,
  argv: ['python3', '-m', 'http.server', '8080', '-b', '192.0.2.7'],
  at: ['192.0.2.7:8080'],
};

tryMachines([
  {
    what: 'a server on loopback of both versions',
    processes: [{ pid: 10, argv: llama, at: ['127.0.0.1:8080', '[::1]:8080'], ...inUnit }],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'a server on all addresses of version 6, which are those of version 4 too',
    processes: [{ pid: 10, argv: [...llama, '--host', '::'], at: ['[::]:8080'], ...inUnit }],
    found: [`open-without-key ${isLlama}`],
  },
  {
    what: 'loopback of version 4 in words of version 6',
    processes: [{ pid: 10, argv: llama, at: ['[::ffff:127.0.0.1]:8080'], ...inUnit }],
    found: [],
  },
  {
    what: 'a server on a link-local address of version 6',
    processes: [{ pid: 10, argv: llama, at: ['[fe80::1]:8080'], ...inUnit }],
    found: [`open-without-key ${isLlama}`],
  },
  {
    what: 'another loopback address',
    processes: [{ pid: 10, argv: [...llama, '--host', '127.0.0.2'], at: ['127.0.0.2:8080'], ...inUnit }],
    found: [],
  },
  {
    what: 'two servers of different models that share a port by SO_REUSEPORT',
    processes: [
      { pid: 10, argv: llama, at: loopback, cgroup: '/system.slice/a.service' },
      {
        pid: 20,
        argv: ['llama-server', '-m', '/m/b.gguf', '--port', '8080'],
        at: loopback,
        cgroup: '/system.slice/b.service',
      },
    ],
    servers: [isLlama, 'llama.cpp b.gguf (process 20)'],
    found: [`port-conflict ${isLlama} and llama.cpp b.gguf (process 20)`],
  },
  {
    what: 'one on all addresses and one on loopback, on one port',
    processes: [
      { pid: 10, argv: llama, at: loopback, cgroup: '/system.slice/a.service' },
      {
        pid: 20,
        argv: ['vllm', 'serve', 'org/b', '--port', '8080', '--api-key', 'EMPTY'],
        env: { VLLM_API_KEY: 'x' },
        at: ['192.0.2.7:8080'],
        cgroup: '/system.slice/b.service',
      },
    ],
    found: ['open-without-key vllm org/b (process 20)'],
  },
  {
    what: 'API servers of one vLLM that share its port, each with a socket of its own',
    processes: [
      { pid: 10, argv: [...vllm, '--api-server-count', '2'], ...inUnit },
      { pid: 11, ppid: 10, argv: ['VLLM::APIServer_0'], at: ['127.0.0.1:8000'], ...inUnit },
      { pid: 12, ppid: 10, argv: ['VLLM::APIServer_1'], at: ['127.0.0.1:8000'], ...inUnit },
      { pid: 13, ppid: 10, argv: ['VLLM::EngineCore'], ...inUnit },
    ],
    servers: ['vllm org/m (process 10)'],
    found: [],
  },
  {
    what: 'a vLLM that loads, while a web server has its port at another address',
    processes: [
      { pid: 99_900, argv: [...vllm, '--host', '127.0.0.1'], ...inUnit },
      { pid: 20, argv: ['python3', '-m', 'http.server', '8000', '-b', '192.0.2.7'], at: ['192.0.2.7:8000'] },
    ],
    servers: ['vllm org/m (process 99900)'],
    found: [],
  },
  {
    what: 'a vLLM that loads, while a web server has its port on all addresses',
    processes: [
      { pid: 99_900, argv: [...vllm, '--host', '127.0.0.1'], ...inUnit },
      { pid: 20, argv: ['python3', '-m', 'http.server', '8000'], at: ['0.0.0.0:8000'] },
    ],
    found: ['port-held vllm org/m (process 99900)'],
  },
  {
    what: 'TGI that loads on all addresses, while a web server has its port at one of them',
    processes: [
      {
        pid: 99_900,
        argv: ['text-generation-launcher', '--model-id', 'o/m', '--port', '8080'],
        ...inUnit,
      },
      elsewhere,
    ],
    found: ['port-held tgi o/m (process 99900)'],
  },
  {
    what: 'llama-server that a variable has listen where a web server does',
    processes: [{ pid: 10, argv: llama, env: { LLAMA_ARG_HOST: '192.0.2.7' }, ...inUnit }, elsewhere],
    found: [`port-held ${isLlama}`],
  },
  {
    what: 'an engine whose usual address is not known, while a web server has its port',
    processes: [{ pid: 10, argv: ['local-ai', 'run', '--address', ':8080'], ...inUnit }, elsewhere],
    found: ['port-held localai (process 10)'],
  },
  {
    what: 'a vLLM that loads on all addresses, while a web server has its port at one of version 6',
    processes: [
      {
        pid: 99_900,
        argv: ['vllm', 'serve', 'org/m', '--port', '8080'],
        env: { VLLM_API_KEY: 'x' },
        ...inUnit,
      },
      { pid: 20, argv: ['python3', '-m', 'http.server', '8080', '-b', '::1'], at: ['[::1]:8080'] },
    ],
    found: [],
  },
  {
    what: 'a vLLM that loads, while its port is held by a worker that its dead predecessor left',
    processes: [
      { pid: 99_900, argv: vllm, ...inUnit },
      {
        pid: 20,
        argv: ['VLLM::EngineCore'],
        at: ['0.0.0.0:8000'],
        cgroup: '/user.slice/user-0.slice/session-1.scope',
      },
    ],
    silent: [8000],
    found: ['not-answering vllm (process 20)', 'port-held vllm org/m (process 99900)'],
  },
  {
    what: 'a worker of vLLM whose server is gone, below the first process',
    processes: [{ pid: 20, argv: ['VLLM::EngineCore'], rssKib: 9e6, ...inUnit }],
    servers: ['vllm (process 20)'],
    found: ['not-answering vllm (process 20)'],
  },
  {
    what: 'a worker of vLLM whose server is gone, taken over by the manager of its user',
    processes: [
      {
        pid: 9,
        argv: ['/usr/lib/systemd/systemd', '--user'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/init.scope',
      },
      { pid: 20, ppid: 9, argv: ['VLLM::EngineCore'], cgroup: '/user.slice/user-1000.slice/session-3.scope' },
    ],
    found: ['not-answering vllm (process 20)'],
  },
  {
    what: 'a worker of SGLang whose server is gone, taken over by what a container begins with',
    processes: [
      { pid: 9, argv: ['/sbin/docker-init', '--', 'bash'], ...inUnit },
      { pid: 10, ppid: 9, argv: ['bash'], ...inUnit },
      { pid: 20, ppid: 9, argv: ['sglang::scheduler_TP0'], ...inUnit },
    ],
    found: ['not-answering sglang (process 20)'],
  },
  ...['/usr/bin/containerd-shim-runc-v2', 'conmon', '/sbin/tini'].map((name) => ({
    what: `a worker that is all that ${name} keeps`,
    processes: [
      { pid: 9, argv: [name, '--', 'x'], ...inUnit },
      { pid: 20, ppid: 9, argv: ['VLLM::EngineCore'], ...inUnit },
    ],
    servers: ['vllm (process 20)'],
    found: [],
  })),
  {
    what: 'a worker of Dynamo that somebody has started',
    processes: [
      { pid: 9, argv: ['-bash'], cgroup: '/user.slice/user-1000.slice/session-3.scope' },
      {
        pid: 20,
        ppid: 9,
        argv: ['python3', '-m', 'dynamo.vllm', '--model', 'org/m'],
        cgroup: '/user.slice/user-1000.slice/session-3.scope',
      },
    ],
    servers: ['dynamo org/m (process 20)'],
    found: ['unmanaged dynamo org/m (process 20)'],
  },
  {
    what: 'a worker of Dynamo that was started with nohup',
    processes: [
      {
        pid: 20,
        argv: ['python3', '-m', 'dynamo.vllm', '--model', 'org/m'],
        cgroup: '/user.slice/user-1000.slice/session-3.scope',
      },
    ],
    found: ['unmanaged dynamo org/m (process 20)'],
  },
  {
    what: 'a runner that its Ollama has left behind, beside a new one',
    processes: [
      {
        pid: 10,
        argv: ['/usr/local/bin/ollama', 'serve'],
        at: ['127.0.0.1:11434'],
        cgroup: '/system.slice/ollama.service',
      },
      {
        pid: 20,
        argv: ['/usr/local/bin/ollama', 'runner', '--model', '/o/blobs/sha256-1', '--port', '41001'],
        at: ['127.0.0.1:41001'],
        cgroup: '/system.slice/old.service',
      },
    ],
    servers: ['ollama (process 10)', 'ollama sha256-1 (process 20)'],
    found: [],
  },
  {
    what: 'a server that somebody has stopped with Ctrl-Z',
    processes: [
      {
        pid: 10,
        argv: llama,
        state: 'T',
        at: loopback,
        cgroup: '/user.slice/user-1000.slice/session-3.scope',
      },
    ],
    silent: [8080],
    found: [`not-answering ${isLlama}`, `unmanaged ${isLlama}`],
  },
  {
    what: 'a server that has ended and waits for its parent',
    processes: [{ pid: 10, argv: [], state: 'Z', name: 'llama-server', ...inUnit }],
    servers: [],
    found: [],
  },
  {
    what: 'a server that ends while it is read: no words, no variables, no namespace',
    processes: [{ pid: 10, argv: [], env: null, netns: null, ...inUnit }],
    servers: [],
    found: [],
  },
  {
    what: 'a server whose program was replaced by an update',
    processes: [{ pid: 10, argv: llama, exe: '/usr/bin/llama-server (deleted)', at: loopback, ...inUnit }],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'a server under a name that somebody gave it, whose program was replaced',
    processes: [
      {
        pid: 10,
        argv: ['kimi', ...llama.slice(1)],
        exe: '/usr/bin/llama-server (deleted)',
        at: loopback,
        ...inUnit,
      },
    ],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'a server in a network namespace made by hand, and what leads there',
    processes: [
      { pid: 10, argv: [...llama, '--host', '0.0.0.0'], netns: '200', at: ['0.0.0.0:8080'], ...inUnit },
      {
        pid: 20,
        argv: ['socat', 'TCP-LISTEN:8080,bind=127.0.0.1,fork', 'EXEC:ip netns exec llm nc 127.0.0.1 8080'],
        at: loopback,
      },
    ],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'a server on a socket by path, with a web server in front of it',
    processes: [
      { pid: 10, argv: ['llama-server', '-m', '/m/a.gguf', '--host', '/run/llm/a.sock'], ...inUnit },
      { pid: 20, argv: ['nginx: master process /usr/sbin/nginx -g daemon off;'], at: ['0.0.0.0:443'] },
      { pid: 21, ppid: 20, argv: ['nginx: worker process'], holds: 20 },
    ],
    servers: [isLlama],
    found: [],
  },
  {
    what: 'doors of many kinds that lead to one server',
    processes: [
      { pid: 10, argv: llama, at: loopback, ...inUnit },
      ...[
        ['/usr/lib/systemd/systemd-socket-proxyd', '--exit-idle-time=10min', '/run/llama.sock'],
        ['oauth2-proxy', '--upstream=http://127.0.0.1:8080/', '--cookie-name=llama'],
        ['ghostunnel', 'server', '--listen', '0.0.0.0:8443', '--cert', '/etc/llm.pem'],
        ['/usr/bin/rinetd', '-c', '/etc/llama-rinetd.conf'],
        ['gost', '-L=tcp://:8103/127.0.0.1:8080', '-C', 'llm.yaml'],
        ['ssh', '-N', '-L', '8104:localhost:8080', 'llama-box'],
        ['ssh: llama-box [mux]'],
        ['caddy', 'reverse-proxy', '--from', ':8106', '--to', 'llama:8080'],
        ['haproxy', '-Ws', '-f', '/etc/haproxy/llm.cfg'],
        ['mitmweb', '--mode', 'reverse:http://127.0.0.1:8080', '--set', 'openai=1'],
        ['/usr/bin/python3', '/usr/bin/mitmdump', '--mode', 'reverse:http://llama:8080'],
        ['/usr/bin/python3', '-m', 'mitmproxy.tools.main', 'llm'],
        ['toxiproxy-server', '-config', 'llm.json'],
        ['wstunnel', 'server', 'ws://0.0.0.0:8112', '--restrict-to', 'llama:8080'],
        ['tailscale', 'serve', '--bg', 'llama'],
        ['ngrok', 'http', '8080', '--name', 'openai'],
      ].map((argv, n) => ({ pid: 20 + n, argv, at: [`127.0.0.1:${8100 + n}`] })),
    ],
    replies: Object.fromEntries(
      [8080, ...Array.from({ length: 16 }, (_, n) => 8100 + n)].flatMap((port) => [
        [`${port}/health`, '{"status":"ok"}'],
        [`${port}/v1/models`, '{"data":[{"id":"a","owned_by":"llamacpp"}]}'],
        [`${port}/props`, '{"build_info":"b6000-abc","total_slots":1,"model_path":"/m/a.gguf"}'],
      ]),
    ),
    servers: [isLlama],
    found: [],
  },
]);
