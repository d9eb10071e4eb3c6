import { tryMachines } from '../../test/support/machine-cases.ts';

const models = '{"object":"list","data":[{"id":"org/m","object":"model","owned_by":"openai"}]}';
const job = '/system.slice/slurmstepd.scope/job_17';
const user = '/user.slice/user-1000.slice/session-3.scope';
const vllm = ['/opt/v/bin/python3', '/opt/v/bin/vllm', 'serve', 'org/m', '--port', '8000'];

/** What leads to servers elsewhere, asks them, or starts them in its own way. */
tryMachines([
  {
    what: 'a job of Slurm that starts its server as a step of its own',
    processes: [
      { pid: 5, argv: ['/usr/sbin/slurmd', '--systemd'], cgroup: '/system.slice/slurmd.service' },
      { pid: 6, argv: ['slurmstepd: [17.batch]'], cgroup: `${job}/step_batch/slurm` },
      {
        pid: 7,
        ppid: 6,
        argv: ['/bin/bash', '/var/spool/slurmd/job00017/slurm_script'],
        cgroup: `${job}/step_batch/user/task_0`,
      },
      {
        pid: 8,
        ppid: 7,
        argv: ['srun', '--gres=gpu:1', 'vllm', 'serve', 'org/m', '--port', '8000'],
        at: ['0.0.0.0:40001'],
        cgroup: `${job}/step_batch/user/task_0`,
      },
      {
        pid: 9,
        ppid: 8,
        argv: ['srun', '--gres=gpu:1', 'vllm', 'serve', 'org/m', '--port', '8000'],
        cgroup: `${job}/step_batch/user/task_0`,
      },
      { pid: 10, argv: ['slurmstepd: [17.0]'], cgroup: `${job}/step_0/slurm` },
      {
        pid: 11,
        ppid: 10,
        argv: vllm,
        at: ['127.0.0.1:8000'],
        cgroup: `${job}/step_0/user/task_0`,
      },
      { pid: 12, ppid: 11, argv: ['VLLM::EngineCore'], cgroup: `${job}/step_0/user/task_0` },
    ],
    servers: ['vllm org/m (process 11)'],
    found: ['unmanaged vllm org/m (process 11)'],
  },
  {
    what: 'a proxy of many engines, which tells of models, for all',
    processes: [
      {
        pid: 10,
        argv: ['/opt/l/bin/python', '/opt/l/bin/litellm', '--config', '/etc/litellm.yaml', '--port', '4000'],
        at: ['0.0.0.0:4000'],
        cgroup: '/system.slice/litellm.service',
      },
    ],
    replies: { '4000/v1/models': models, '4000/health': '{"healthy_endpoints":[]}' },
    servers: [],
    found: [],
  },
  {
    what: 'tunnels to a server elsewhere',
    processes: [
      {
        pid: 10,
        argv: ['ssh', '-N', '-L', '8000:localhost:8000', 'gpu1'],
        at: ['127.0.0.1:8000', '[::1]:8000'],
        cgroup: user,
      },
      {
        pid: 11,
        argv: ['kubectl', 'port-forward', 'svc/vllm', '8001:8000', '--address', '0.0.0.0'],
        at: ['0.0.0.0:8001'],
        cgroup: user,
      },
      {
        pid: 12,
        argv: ['socat', 'TCP-LISTEN:8002,fork,reuseaddr', 'TCP:gpu1:8000'],
        at: ['0.0.0.0:8002'],
        cgroup: '/system.slice/door.service',
      },
      {
        pid: 13,
        argv: ['/usr/bin/autossh', '-M', '0', '-N', '-L', '0.0.0.0:8003:gpu2:8000', 'gpu2'],
        cgroup: '/system.slice/tunnel.service',
      },
      {
        pid: 14,
        ppid: 13,
        argv: ['/usr/bin/ssh', '-N', '-L', '0.0.0.0:8003:gpu2:8000', 'gpu2'],
        at: ['0.0.0.0:8003'],
        cgroup: '/system.slice/tunnel.service',
      },
      {
        pid: 15,
        argv: ['/usr/local/bin/frpc', '-c', '/etc/frpc.toml'],
        at: ['0.0.0.0:8004'],
        cgroup: '/system.slice/frpc.service',
      },
    ],
    replies: Object.fromEntries(
      [8000, 8001, 8002, 8003, 8004].flatMap((port) => [
        [`${port}/v1/models`, models.replace('"openai"', '"vllm"')],
        [`${port}/health`, ''],
        [`${port}/version`, '{"version":"0.11.0"}'],
      ]),
    ),
    servers: [],
    found: [],
  },
  {
    what: 'Ray with the servers of its own in it',
    processes: [
      {
        pid: 10,
        argv: ['/opt/r/bin/python3', '/opt/r/bin/ray', 'start', '--head', '--block', '--port=6379'],
        cgroup: '/system.slice/ray.service',
      },
      {
        pid: 11,
        ppid: 10,
        argv: ['/opt/r/core/src/ray/gcs/gcs_server', '--gcs_server_port=6379'],
        at: ['0.0.0.0:6379'],
        cgroup: '/system.slice/ray.service',
      },
      {
        pid: 12,
        ppid: 10,
        argv: ['/opt/r/core/src/ray/raylet/raylet', '--node_manager_port=0'],
        at: ['0.0.0.0:40111'],
        cgroup: '/system.slice/ray.service',
      },
      { pid: 13, ppid: 12, argv: ['ray::ServeReplica:llm:LLMServer'], cgroup: '/system.slice/ray.service' },
      {
        pid: 14,
        ppid: 12,
        argv: ['ray::ProxyActor'],
        at: ['127.0.0.1:8000'],
        cgroup: '/system.slice/ray.service',
      },
      { pid: 15, ppid: 12, argv: ['ray::IDLE'], cgroup: '/system.slice/ray.service' },
    ],
    servers: [],
    found: [],
  },
  {
    what: 'what measures and watches servers',
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/prometheus', '--config.file=/etc/prometheus/vllm.yml'],
        at: ['0.0.0.0:9090'],
        cgroup: '/system.slice/prometheus.service',
      },
      {
        pid: 11,
        argv: [
          'python3',
          '/opt/exporters/llama_server_exporter.py',
          '--url',
          'http://gpu1:8080',
          '--port',
          '9400',
        ],
        at: ['0.0.0.0:9400'],
        cgroup: '/system.slice/exporter.service',
      },
      { pid: 12, argv: ['k6', 'run', '--vus', '20', 'vllm-serve.js'], at: ['127.0.0.1:6565'], cgroup: user },
      {
        pid: 13,
        argv: ['locust', '-f', 'vllm.py', '--host', 'http://gpu1:8000'],
        at: ['0.0.0.0:8089'],
        cgroup: user,
      },
      { pid: 14, argv: ['vllm', 'bench', 'serve', '--model', 'org/m', '--host', 'gpu1'], cgroup: user },
    ],
    replies: {
      '9090/metrics': 'vllm:num_requests_running 0\n',
      '9400/metrics': 'llamacpp:tokens_predicted_total 3\n',
    },
    servers: [],
    found: [],
  },
]);
