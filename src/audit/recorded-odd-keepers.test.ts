import { tryMachines } from '../../test/support/machine-cases.ts';
import type { MachineProcess } from '../../test/support/machine-cases.ts';

const llama: MachineProcess = {
  pid: 10,
  argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8080'],
  at: ['127.0.0.1:8080'],
};
const isLlama = 'llama.cpp a.gguf (process 10)';
const byHand = [`unmanaged ${isLlama}`];

/** The same file once more, in a unit of its own that is worth keeping: what is to end is the other. */
const other: MachineProcess = {
  pid: 5,
  argv: ['llama-server', '-m', '/m/a.gguf', '--port', '8090'],
  at: ['127.0.0.1:8090'],
  cgroup: '/system.slice/kept.service',
};

const id64 = 'c0ffee'.padEnd(64, '0');
const inPod = '/kubepods.slice/kubepods-pod0f3c9a52_1111_2222_3333_444455556666.slice/x.scope';

function userUnit(name: string): string {
  return `/user.slice/user-1000.slice/user@1000.service/app.slice/${name}`;
}

tryMachines([
  ...[
    ['a session', '/user.slice/user-1000.slice/session-3.scope'],
    ['a terminal of a desktop', '/user.slice/user-1000.slice/user@1000.service/app.slice/vte-spawn-1.scope'],
    [
      'the program of terminals',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/gnome-terminal-server.service',
    ],
    [
      'the shell of a desktop',
      '/user.slice/user-1000.slice/user@1000.service/session.slice/org.gnome.Shell@wayland.service',
    ],
    ['a scope of systemd-run', '/system.slice/run-u12.scope'],
    ['what systemd-run has started without a file', '/system.slice/run-u12.service'],
    [
      'what the user has started so',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/run-rabc0123.service',
    ],
    ['cron', '/system.slice/cron.service'],
    ['cron of another system', '/system.slice/crond.service'],
    ['at', '/system.slice/atd.service'],
    ['a login without a session', '/system.slice/ssh.service'],
    ['a login on sockets', '/system.slice/system-sshd.slice/sshd@3-10.0.0.1:22-10.0.0.2:5000.service'],
    ['a console', '/system.slice/system-getty.slice/getty@tty1.service'],
    ['a job of Slurm', '/system.slice/slurmstepd.scope/job_17/step_0/user/task_0'],
    ['a notebook', '/system.slice/jupyterhub.service'],
    ['an editor that serves browsers', '/system.slice/system-code\\x2dserver.slice/code-server@me.service'],
    ['no group at all', '/'],
    ['WSL', '/init.scope'],
  ].map(([what = '', cgroup = '']) => ({
    what: `by hand: ${what}`,
    processes: [{ ...llama, cgroup }],
    found: byHand,
  })),
  ...[
    ['OpenRC', '/openrc.llama'],
    ['an instance of a template', '/system.slice/system-llama.slice/llama@a.service'],
    ['a slice of its own', '/llm.slice/llm-gpu.slice/llama.service'],
    ['a group below a unit', '/system.slice/llama.service/payload'],
    ['a unit of the user', '/user.slice/user-1000.slice/user@1000.service/app.slice/llama.service'],
    [
      'version 1',
      '12:memory:/system.slice/llama.service\n5:cpu,cpuacct:/system.slice\n1:name=systemd:/system.slice/llama.service\n',
    ],
    [
      'both versions',
      '2:cpuset:/\n1:name=systemd:/system.slice/llama.service\n0::/system.slice/llama.service\n',
    ],
    ['nspawn', '/machine.slice/systemd-nspawn@ai.service/payload/system.slice/llama.service'],
    ['Nomad', '/nomad.slice/share.slice/0f3c9a52-1111-2222-3333-444455556666.llama.scope'],
  ].map(([what = '', cgroup = '']) => ({
    what: `kept by ${what}`,
    processes: [{ ...llama, cgroup }],
    found: [],
  })),
  {
    what: 'kept by runit, without groups',
    processes: [
      { pid: 8, argv: ['runsvdir', '-P', '/etc/service'] },
      { pid: 9, ppid: 8, argv: ['runsv', 'llama'] },
      { ...llama, ppid: 9 },
    ],
    found: [],
  },
  {
    what: 'kept by s6, without groups',
    processes: [
      { pid: 8, argv: ['s6-svscan', '/run/service'] },
      { pid: 9, ppid: 8, argv: ['s6-supervise', 'llama'] },
      { ...llama, ppid: 9 },
    ],
    found: [],
  },
  {
    what: 'kept by supervisord in a unit, and to end: the unit is not its own',
    processes: [
      {
        pid: 9,
        argv: ['/usr/bin/python3', '/usr/bin/supervisord', '-n', '-c', '/etc/s.conf'],
        cgroup: '/system.slice/supervisor.service',
      },
      { ...llama, ppid: 9, cgroup: '/system.slice/supervisor.service' },
      other,
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: [],
  },
  {
    what: 'kept by pm2 in a unit, and to end: the unit is not its own',
    processes: [
      { pid: 9, argv: ['PM2 v5.4.2: God Daemon (/home/me/.pm2)'], cgroup: '/system.slice/pm2-me.service' },
      { ...llama, ppid: 9, cgroup: '/system.slice/pm2-me.service' },
      other,
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: [],
  },
  {
    what: 'started by cron, and to end: cron goes on',
    processes: [
      { pid: 8, argv: ['/usr/sbin/cron', '-f'], cgroup: '/system.slice/cron.service' },
      {
        pid: 9,
        ppid: 8,
        argv: ['/bin/sh', '-c', 'llama-server -m /m/a.gguf --port 8080'],
        cgroup: '/system.slice/cron.service',
      },
      { ...llama, ppid: 9, cgroup: '/system.slice/cron.service' },
      other,
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf', ...byHand],
    commands: ['kill 10'],
  },
  {
    what: 'two servers of one unit, one to end: the unit is not its own',
    processes: [
      { pid: 9, argv: ['/bin/bash', '/opt/both.sh'], cgroup: '/system.slice/llm.service' },
      { ...llama, ppid: 9, cgroup: '/system.slice/llm.service' },
      { ...other, ppid: 9, cgroup: '/system.slice/llm.service' },
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['kill 10'],
  },
  {
    what: 'a server in a unit that also runs other things, to end: the unit is not its own',
    processes: [
      { pid: 8, argv: ['dockerd'], cgroup: userUnit('docker.service') },
      { ...llama, cgroup: userUnit('docker.service') },
      other,
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['kill 10'],
  },
  {
    what: 'a server whose output another program takes, to end: the unit is its own',
    processes: [
      { pid: 8, argv: ['/bin/bash', '/opt/llm.sh'], cgroup: '/system.slice/llm.service' },
      { pid: 9, ppid: 8, argv: ['tee', '-a', '/var/log/llm'], cgroup: '/system.slice/llm.service' },
      { ...llama, ppid: 8, cgroup: '/system.slice/llm.service' },
      { ...other, ppid: 1, cgroup: '/system.slice/a.service', pid: 3 },
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['sudo systemctl disable --now llm.service'],
  },
  {
    what: 'units of two users with one name: each is its own',
    processes: [
      { ...llama, cgroup: userUnit('llm.service') },
      {
        ...other,
        cgroup: '/user.slice/user-1001.slice/user@1001.service/app.slice/llm.service',
      },
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['systemctl --user disable --now llm.service'],
  },
  {
    what: 'two servers of one container, one to end: the container is not its own',
    processes: [
      { pid: 4, argv: ['bash', '/start.sh'], cgroup: `/docker/${id64}` },
      { ...other, ppid: 4, cgroup: `/docker/${id64}` },
      { ...llama, ppid: 4, cgroup: `/docker/${id64}` },
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['kill 10'],
  },
  {
    what: 'two servers of one pod, one to end: the pod is not its own',
    processes: [
      { ...other, cgroup: inPod },
      { ...llama, cgroup: inPod },
    ],
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: [],
  },
  {
    what: 'of an SSH login under OpenRC',
    processes: [
      { pid: 7, argv: ['/usr/sbin/sshd'], cgroup: '/openrc.sshd' },
      { pid: 8, ppid: 7, argv: ['sshd: me@pts/0'], cgroup: '/openrc.sshd' },
      { pid: 9, ppid: 8, argv: ['-ash'], cgroup: '/openrc.sshd' },
      { ...llama, ppid: 9, cgroup: '/openrc.sshd' },
    ],
    found: byHand,
  },
  {
    what: 'left behind by an SSH login under OpenRC',
    processes: [{ ...llama, cgroup: '/openrc.sshd' }],
    found: byHand,
  },
  {
    what: 'typed in a notebook that a supervisor keeps',
    processes: [
      { pid: 6, argv: ['/usr/bin/python3', '/usr/bin/supervisord', '-n'] },
      { pid: 7, ppid: 6, argv: ['/usr/bin/python3', '/usr/bin/jupyter-lab', '--ip=0.0.0.0'] },
      { pid: 8, ppid: 7, argv: ['/bin/bash', '-l'] },
      { ...llama, ppid: 8 },
    ],
    found: byHand,
  },
  {
    what: 'of a supervisor that somebody has started from a shell',
    processes: [
      { pid: 7, argv: ['-bash'] },
      { pid: 8, ppid: 7, argv: ['/usr/bin/python3', '/usr/bin/supervisord', '-n'] },
      { ...llama, ppid: 8 },
    ],
    found: [],
  },
  {
    what: 'in tmux that its unit starts it in: the unit is its own, whatever its name',
    processes: [
      { pid: 8, argv: ['tmux: server'], cgroup: '/system.slice/tmux.service' },
      { pid: 9, ppid: 8, argv: ['-zsh'], cgroup: '/system.slice/tmux.service' },
      { ...llama, ppid: 9, cgroup: '/system.slice/tmux.service' },
      other,
    ],
    files: {
      '/etc/systemd/system/tmux.service':
        '[Service]\nType=forking\nExecStart=/usr/bin/tmux new-session -d -s llm llama-server -m /m/a.gguf --port 8080\n',
    },
    loaded: { 'tmux.service': {} },
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf'],
    commands: ['sudo systemctl disable --now tmux.service'],
  },
  {
    what: 'in a unit that systemd-run has made under a name, to end: it cannot be disabled',
    processes: [{ ...llama, cgroup: '/system.slice/kimi.service' }, other],
    files: {
      '/run/systemd/transient/kimi.service':
        '[Service]\nExecStart=/usr/bin/llama-server -m /m/a.gguf --port 8080\n',
    },
    loaded: { 'kimi.service': { FragmentPath: '/run/systemd/transient/kimi.service' } },
    models: { '/m/a.gguf': 1 },
    found: ['duplicate /m/a.gguf', ...byHand],
    commands: ['sudo systemctl stop kimi.service'],
  },
  {
    what: 'in a screen that was left',
    processes: [
      {
        pid: 8,
        argv: ['SCREEN', '-dmS', 'llm', 'llama-server', '-m', '/m/a.gguf', '--port', '8080'],
        cgroup: '/user.slice/user-1000.slice/session-3.scope',
      },
      { ...llama, ppid: 8, cgroup: '/user.slice/user-1000.slice/session-3.scope' },
    ],
    servers: [isLlama],
    found: byHand,
  },
  {
    what: 'in tmux that a unit of the user keeps',
    processes: [
      {
        pid: 8,
        argv: ['tmux: server'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.service',
      },
      {
        pid: 9,
        ppid: 8,
        argv: ['-zsh'],
        cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.service',
      },
      { ...llama, ppid: 9, cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.service' },
    ],
    found: byHand,
  },
]);
