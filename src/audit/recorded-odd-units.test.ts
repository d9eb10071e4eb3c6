import { tryMachines } from '../../test/support/machine-cases.ts';

const etc = '/etc/systemd/system';
const lib = '/usr/lib/systemd/system';
const off = { ActiveState: 'inactive', UnitFileState: 'disabled' };

/** A unit that starts this. */
function unit(line: string, more = ''): string {
  return `[Unit]\nDescription=x\n[Service]\n${more}ExecStart=${line}\n[Install]\nWantedBy=multi-user.target\n`;
}

function llama(port: number, more = ''): string {
  return unit(`/usr/bin/llama-server -m /m/${port}.gguf --port ${port}`, more);
}

const two = { [`${etc}/a.service`]: llama(8080), [`${etc}/b.service`]: llama(8080) };
const on = { 'a.service': {}, 'b.service': {} };

tryMachines([
  { what: 'two units on one port', files: two, loaded: on, found: ['port-conflict a.service and b.service'] },
  {
    what: 'two units on one port of which one ends the other',
    files: { ...two, [`${etc}/b.service`]: llama(8080).replace('Description=x', 'Conflicts=a.service') },
    loaded: { 'a.service': { ActiveState: 'inactive' }, 'b.service': {} },
    found: [],
  },
  {
    what: 'two units on one port, one in a network of its own',
    files: { ...two, [`${etc}/b.service`]: llama(8080, 'PrivateNetwork=yes\n') },
    loaded: on,
    found: [],
  },
  {
    what: 'two units on one port, one in a network namespace that a file names',
    files: { ...two, [`${etc}/b.service`]: llama(8080, 'NetworkNamespacePath=/run/netns/llm\n') },
    loaded: on,
    found: [],
  },
  {
    what: 'two units on one port in one network namespace that a file names',
    files: {
      [`${etc}/a.service`]: llama(8080, 'NetworkNamespacePath=/run/netns/llm\n'),
      [`${etc}/b.service`]: llama(8080, 'NetworkNamespacePath=/run/netns/llm\n'),
    },
    loaded: on,
    found: ['port-conflict a.service and b.service'],
  },
  {
    what: 'a unit that a timer starts',
    files: { [`${etc}/night.service`]: llama(8080) },
    loaded: { 'night.service': { ...off, TriggeredBy: 'night.timer' } },
    found: [],
  },
  {
    what: 'a unit that its socket starts',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ...off, UnitFileState: 'static', TriggeredBy: 'llm.socket' } },
    found: [],
  },
  {
    what: 'a unit that the door of a socket needs',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ...off, RequiredBy: 'llm-proxy.service' } },
    found: [],
  },
  {
    what: 'a unit that another one wants',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ...off, WantedBy: 'stack.target' } },
    found: [],
  },
  {
    what: 'a unit that nothing starts',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': off },
    found: ['orphan-unit llm.service'],
  },
  {
    what: 'a unit that is masked over the file of its package',
    files: { [`${lib}/llm.service`]: llama(8080), [`${etc}/llm.service`]: '' },
    loaded: { 'llm.service': { ...off, UnitFileState: 'masked' } },
    found: [],
  },
  {
    what: 'a drop-in whose number comes first, over one of the package: the later number counts',
    files: {
      ...two,
      [`${etc}/b.service.d/10-port.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/b.gguf --port 8080\n',
      [`${lib}/b.service.d/50-port.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/b.gguf --port 8081\n',
    },
    loaded: on,
    found: [],
  },
  {
    what: 'a drop-in over one of the same name of the package',
    files: {
      ...two,
      [`${lib}/b.service.d/50-port.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/b.gguf --port 8080\n',
      [`${etc}/b.service.d/50-port.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/b.gguf --port 8081\n',
    },
    loaded: on,
    found: [],
  },
  {
    what: 'a drop-in that is hidden by an empty one of its name',
    files: {
      [`${etc}/a.service`]: llama(8080),
      [`${etc}/b.service`]: llama(8081),
      [`${lib}/b.service.d/50-port.conf`]:
        '[Service]\nExecStart=\nExecStart=/usr/bin/llama-server -m /m/b.gguf --port 8080\n',
      [`${etc}/b.service.d/50-port.conf`]: '',
    },
    loaded: on,
    found: [],
  },
  {
    what: 'a drop-in over all units whose names begin so',
    files: {
      [`${etc}/llama-a.service`]: unit(
        '/usr/bin/llama-server -m /m/a.gguf',
        'Environment=LLAMA_ARG_PORT=8081\n',
      ),
      [`${etc}/llama-b.service`]: unit(
        '/usr/bin/llama-server -m /m/b.gguf',
        'Environment=LLAMA_ARG_PORT=8082\n',
      ),
      [`${etc}/llama-.service.d/port.conf`]: '[Service]\nEnvironment=LLAMA_ARG_PORT=8090\n',
    },
    loaded: { 'llama-a.service': {}, 'llama-b.service': {} },
    found: ['port-conflict llama-a.service and llama-b.service'],
  },
  {
    what: 'a drop-in over all services',
    files: {
      [`${etc}/a.service`]: unit('/usr/bin/llama-server -m /m/a.gguf'),
      [`${etc}/service.d/token.conf`]: '[Service]\nEnvironment=HF_TOKEN=hf_abcdefghijklmnop\n',
    },
    loaded: { 'a.service': {} },
    found: ['secret-in-environment a.service'],
  },
  {
    what: 'a unit of the user in the folder for data, and one of a package',
    files: {
      '/usr/lib/systemd/user/a.service': llama(8080),
      '/home/me/.local/share/systemd/user/b.service': llama(8080),
    },
    userLoaded: on,
    found: ['port-conflict a.service and b.service'],
  },
  {
    what: 'a user unit and one of the system on one port',
    files: { '/home/me/.config/systemd/user/a.service': llama(8080), [`${etc}/b.service`]: llama(8080) },
    loaded: { 'b.service': {} },
    userLoaded: { 'a.service': {} },
    found: ['port-conflict b.service and a.service'],
  },
  ...[
    '/usr/bin/numactl --interleave=all /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/taskset -c 0-7 /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/nice -n 10 /usr/bin/ionice -c 3 /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/env CUDA_VISIBLE_DEVICES=0 LLAMA_ARG_PORT=8087 /usr/bin/llama-server -m /m/b.gguf',
    '/usr/bin/env -S CUDA_VISIBLE_DEVICES=0 /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/env -u DISPLAY -C /srv /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/sudo -u llm -H /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/setpriv --reuid=llm --regid=llm --init-groups --no-new-privs /usr/bin/llama-server -m /m/b.gguf --port 8087',
    "/bin/bash -lc 'source /opt/v/bin/activate && exec vllm serve org/m --port 8087'",
    "/bin/bash -lc 'cd /srv && exec ./llama-server -m b.gguf --port 8087 2>&1 | tee -a /var/log/llm.log'",
    "/bin/sh -c '. /etc/llm.env; exec llama-server -m /m/b.gguf --port 8087'",
    '/root/.local/bin/uv run --project /opt/x vllm serve org/m --port 8087',
    '/root/.local/bin/uv tool run vllm serve org/m --port 8087',
    '/root/.local/bin/uvx --from vllm vllm serve org/m --port 8087',
    '/opt/conda/bin/conda run --no-capture-output -n vllm vllm serve org/m --port 8087',
    '/opt/conda/bin/conda run --live-stream -p /opt/envs/v python -m vllm.entrypoints.openai.api_server --model org/m --port 8087',
    '/usr/bin/screen -DmS llm /usr/bin/llama-server -m /m/b.gguf --port 8087',
    "/usr/bin/tmux new-session -d -s llm '/usr/bin/llama-server -m /m/b.gguf --port 8087'",
    '/usr/bin/tmux -L ai new -d -s llm /usr/bin/llama-server -m /m/b.gguf --port 8087',
    "/usr/bin/script -qfc '/usr/bin/llama-server -m /m/b.gguf --port 8087' /var/log/llm.log",
    '/usr/bin/strace -f -o /tmp/t /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/sbin/gosu llm /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/tini -- /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/dumb-init -- /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/nohup /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/systemd-run --scope -p MemoryMax=8G /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/ip netns exec llm /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/chrt -b 0 /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/prlimit --memlock=unlimited /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/runuser -u llm -- /usr/bin/llama-server -m /m/b.gguf --port 8087',
    "/usr/bin/su -s /bin/sh -c 'exec /usr/bin/llama-server -m /m/b.gguf --port 8087' llm",
    "/usr/bin/su - llm -c '/usr/bin/llama-server -m /m/b.gguf --port 8087'",
    '/usr/bin/torchrun --nproc_per_node=2 -m sglang.launch_server --model-path org/m --port 8087',
    '/usr/bin/start-stop-daemon --start --chuid llm --exec /usr/bin/llama-server -- -m /m/b.gguf --port 8087',
    '/usr/bin/cgexec -g memory:llm /usr/bin/llama-server -m /m/b.gguf --port 8087',
    '/usr/bin/python3 -u -m vllm.entrypoints.openai.api_server --model org/m --port 8087',
    '/opt/v/bin/python3 -m vllm.entrypoints.cli.main serve org/m --port 8087',
    '!/usr/bin/llama-server -m /m/b.gguf --port 8087',
    '-+/usr/bin/llama-server -m /m/b.gguf \\\n  # the port of old\n  --port 8087',
    '/usr/bin/llama-server -m /m/b.gguf --port 8087 ; /usr/bin/true',
    '/usr/bin/llama-server -m /m/b.gguf --api-key-file "/etc/a&b.key" --port 8087',
    '/usr/bin/llama-server -m /m/b.gguf --api-prefix /a&b --port 8087',
    '/usr/bin/llama-server -m /m/b.gguf --alias #1 --port 8087',
    '/usr/bin/llama-server -m /m/b.gguf --alias one|two --port 8087',
  ].map((line) => ({
    what: `a unit with ${line}`,
    files: { [`${etc}/a.service`]: llama(8087), [`${etc}/b.service`]: unit(line) },
    loaded: on,
    found: line.includes('netns') ? [] : ['port-conflict a.service and b.service'],
  })),
  {
    what: 'variables with signs that are words of a shell elsewhere',
    files: {
      [`${etc}/a.service`]: llama(8087),
      [`${etc}/b.service`]: unit(
        '/usr/bin/llama-server -m /m/b.gguf',
        'Environment=LLAMA_ARG_ALIAS=a;b LLAMA_ARG_PORT=8087\n',
      ),
    },
    loaded: on,
    found: ['port-conflict a.service and b.service'],
  },
  {
    what: 'files of variables by a pattern',
    files: {
      [`${etc}/a.service`]: llama(8087),
      [`${etc}/b.service`]: unit('/usr/bin/llama-server -m /m/b.gguf', 'EnvironmentFile=-/etc/llm/*.env\n'),
      '/etc/llm/10.env': 'LLAMA_ARG_PORT=8086\n',
      '/etc/llm/20.env': '; note\nLLAMA_ARG_PORT=8087\n',
    },
    loaded: on,
    found: ['port-conflict a.service and b.service'],
  },
  {
    what: 'a unit that counts the cores of its machine, and its server',
    files: {
      [`${etc}/llm.service`]: unit("/bin/bash -c 'exec llama-server -m /m/a.gguf --port 8080 -t $(nproc)'"),
    },
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080', '-t', '16'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    loaded: { 'llm.service': {} },
    found: [],
  },
  {
    what: 'a unit that names the machine, and its server',
    files: { [`${etc}/llm.service`]: unit('/usr/bin/llama-server -m /m/a.gguf --port 8080 --alias %H') },
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080', '--alias', 'box'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    loaded: { 'llm.service': {} },
    found: [],
  },
  {
    what: 'a unit that was given another port after its server had started',
    files: { [`${etc}/llm.service`]: llama(8081) },
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/8081.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    loaded: { 'llm.service': { NeedDaemonReload: 'yes' } },
    found: ['runs-otherwise llm.service', 'unit-not-reloaded llm.service'],
  },
  {
    what: 'a server that takes variables from its manager',
    files: {
      [`${etc}/llm.service`]: unit(
        '/usr/bin/llama-server -m /m/a.gguf --port 8080',
        'PassEnvironment=LLAMA_ARG_THREADS\n',
      ),
    },
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        env: { LLAMA_ARG_THREADS: '8' },
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    loaded: { 'llm.service': {} },
    found: [],
  },
  {
    what: 'two models in one unit, of which one is as its file says',
    files: { [`${etc}/llm.service`]: unit('/bin/bash /opt/both.sh') },
    processes: [
      { pid: 9, argv: ['/bin/bash', '/opt/both.sh'], cgroup: '/system.slice/llm.service' },
      {
        pid: 10,
        ppid: 9,
        argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        at: ['127.0.0.1:8080'],
        cgroup: '/system.slice/llm.service',
      },
      {
        pid: 11,
        ppid: 9,
        argv: ['llama-server', '-m', '/m/b.gguf', '--port', '8081'],
        at: ['127.0.0.1:8081'],
        cgroup: '/system.slice/llm.service',
      },
    ],
    loaded: { 'llm.service': {} },
    servers: ['llama.cpp a.gguf (process 10)', 'llama.cpp b.gguf (process 11)'],
    found: [],
  },
  {
    what: 'a unit that waits before it is started again',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ActiveState: 'activating', Result: 'exit-code', NRestarts: '57' } },
    found: ['restarting llm.service'],
  },
  {
    what: 'a unit that was killed for memory and waits before it is started again',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ActiveState: 'activating', Result: 'oom-kill', NRestarts: '2' } },
    found: ['out-of-memory llm.service'],
  },
  {
    what: 'a unit that was killed for memory and has run again since',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { Result: 'success', NRestarts: '1' } },
    found: [],
  },
  {
    what: 'a unit that systemd would not start again so often',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ActiveState: 'failed', Result: 'start-limit-hit', NRestarts: '5' } },
    found: ['failed llm.service'],
  },
  {
    what: 'a unit that somebody stopped, and that does not end at once',
    files: { [`${etc}/llm.service`]: llama(8080) },
    loaded: { 'llm.service': { ActiveState: 'deactivating' } },
    found: [],
  },
  {
    what: 'Ollama that a drop-in of its package has opened',
    files: {
      [`${etc}/ollama.service`]: unit('/usr/local/bin/ollama serve'),
      [`${etc}/ollama.service.d/override.conf`]: '[Service]\nEnvironment="OLLAMA_HOST=0.0.0.0"\n',
    },
    processes: [
      {
        pid: 10,
        argv: ['/usr/local/bin/ollama', 'serve'],
        env: { OLLAMA_HOST: '0.0.0.0' },
        at: ['[::]:11434'],
        cgroup: '/system.slice/ollama.service',
      },
    ],
    loaded: { 'ollama.service': {} },
    found: ['open-without-key ollama (process 10)'],
  },
]);
