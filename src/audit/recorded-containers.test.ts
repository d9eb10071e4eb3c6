import { expect, test } from 'vitest';
import { healthyObservation } from '../../test/support/healthy-observation.ts';
import { auditReport } from './audit.ts';
import { Inspected, observed } from './gather/containers.ts';

type Thing = Record<string, unknown>;

interface Case {
  readonly what: string;
  /** What `docker inspect` says otherwise than of a server that runs well. */
  readonly config?: Thing;
  readonly host?: Thing;
  readonly state?: Thing;
  readonly more?: Thing;
  /** "engine model port", or "none". */
  readonly server: string;
  readonly found?: readonly string[];
}

const vllm = { Path: 'vllm', Args: ['serve', 'org/m', '--port', '8000'] };
const server = 'vllm org/m 8000';
const none = 'none';

const cases: readonly Case[] = [
  { what: 'a server that runs well', server },
  {
    what: 'an entry point that is a shell',
    more: { Path: 'sh', Args: ['-c', 'pip install -q x && exec vllm serve org/m --port 8000'] },
    server,
  },
  {
    what: 'the older entry point of vLLM',
    more: {
      Path: 'python3',
      Args: ['-m', 'vllm.entrypoints.openai.api_server', '--model', 'org/m', '--port=8000'],
    },
    server,
  },
  {
    what: 'the entry point of NVIDIA',
    config: { Image: 'nvcr.io/nvidia/vllm:25.09-py3' },
    more: { Path: '/opt/nvidia/nvidia_entrypoint.sh', Args: ['vllm', 'serve', 'org/m', '--port', '8000'] },
    server,
  },
  {
    what: 'tini before the server',
    more: { Path: '/usr/bin/tini', Args: ['-g', '--', 'vllm', 'serve', 'org/m', '--port', '8000'] },
    server,
  },
  {
    what: 'llama-server that variables configure',
    config: {
      Image: 'ghcr.io/ggml-org/llama.cpp:server-b6000',
      Env: ['LLAMA_ARG_MODEL=/m/a.gguf', 'LLAMA_ARG_PORT=8090', 'LLAMA_ARG_HOST=0.0.0.0'],
    },
    more: { Path: '/app/llama-server', Args: [] },
    server: 'llama.cpp /m/a.gguf 8090',
  },
  {
    what: 'a server that is told no port, and a health check of another one',
    config: { Healthcheck: { Test: ['CMD', 'curl', '-f', 'http://0.0.0.0:8080/health'] } },
    more: { Path: 'vllm', Args: ['serve', 'org/m'] },
    server: 'vllm org/m null',
    found: ['health-check-port'],
  },
  {
    what: 'a server that is told no port, and a health check of its usual one',
    config: { Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://0.0.0.0:8000/health'] } },
    more: { Path: 'vllm', Args: ['serve', 'org/m'] },
    server: 'vllm org/m null',
  },
  {
    what: 'llama-server that variables configure, with the health check of its image',
    config: {
      Image: 'ghcr.io/ggml-org/llama.cpp:server-b6000',
      Env: ['LLAMA_ARG_MODEL=/m/a.gguf', 'LLAMA_ARG_PORT=8090'],
      Healthcheck: { Test: ['CMD', 'curl', '-f', 'http://localhost:8080/health'] },
    },
    more: { Path: '/app/llama-server', Args: [] },
    server: 'llama.cpp /m/a.gguf 8090',
    found: ['health-check-port'],
  },
  {
    what: 'Ollama with variables',
    config: { Image: 'ollama/ollama:0.12.3', Env: ['OLLAMA_HOST=0.0.0.0:11435', 'OLLAMA_KEEP_ALIVE=24h'] },
    more: { Path: '/bin/ollama', Args: ['serve'] },
    server: 'ollama null 11435',
  },
  {
    what: 'TGI that variables configure',
    config: {
      Image: 'ghcr.io/huggingface/text-generation-inference:3.3.5',
      Env: ['MODEL_ID=org/m', 'NUM_SHARD=2', 'PORT=80'],
    },
    more: { Path: '/tgi-entrypoint.sh', Args: ['--json-output'] },
    server: 'tgi org/m 80',
  },
  {
    what: 'a container that does something else',
    more: { Path: 'sleep', Args: ['infinity'] },
    server: none,
  },
  {
    what: 'a web server',
    config: { Image: 'nginx:1.27' },
    more: { Path: '/docker-entrypoint.sh', Args: ['nginx', '-g', 'daemon off;'] },
    server: none,
  },
  {
    what: 'Open WebUI',
    config: { Image: 'ghcr.io/open-webui/open-webui:ollama' },
    more: { Path: 'bash', Args: ['start.sh'] },
    server: none,
  },
  {
    what: 'a container of a pod of Kubernetes',
    config: { Labels: { 'io.kubernetes.pod.uid': 'x', 'io.kubernetes.pod.name': 'm' } },
    server: none,
  },
  {
    what: 'compose, by :latest',
    config: { Image: 'vllm/vllm-openai:latest', Labels: { 'com.docker.compose.project': 'ai' } },
    server,
    found: ['rolling-image'],
  },
  {
    what: 'a container that was stopped by hand',
    host: { RestartPolicy: { Name: 'unless-stopped' } },
    state: { Status: 'exited', Running: false, ExitCode: 137 },
    server,
  },
  {
    what: 'another that was stopped by hand',
    host: { RestartPolicy: { Name: 'always' } },
    state: { Status: 'exited', Running: false, ExitCode: 143 },
    server,
  },
  {
    what: 'a container whose daemon gave up',
    host: { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } },
    state: { Status: 'exited', Running: false, ExitCode: 1 },
    more: { RestartCount: 2 },
    server,
    found: ['failed'],
  },
  {
    what: 'a container that gets no GPU',
    state: {
      Status: 'created',
      Running: false,
      ExitCode: 128,
      Error: 'could not select device driver "" with capabilities: [[gpu]]',
    },
    server,
    found: ['failed'],
  },
  {
    what: 'a container whose daemon repeats a secret of its command',
    state: {
      Status: 'created',
      Running: false,
      ExitCode: 128,
      Error: 'exec: "--api-key=s3cr3t": executable file not found in $PATH',
    },
    server,
    found: ['failed'],
  },
  {
    what: 'a container started by hand that gets no port',
    host: { RestartPolicy: { Name: 'no' } },
    state: { Status: 'created', Running: false, ExitCode: 128, Error: 'port is already allocated' },
    server,
    found: ['orphan-container'],
  },
  {
    what: 'one that was killed for memory',
    state: { Status: 'exited', Running: false, ExitCode: 137, OOMKilled: true },
    server,
    found: ['out-of-memory'],
  },
  {
    what: 'one that ends again and again',
    state: { Status: 'restarting', Running: true, Restarting: true, ExitCode: 1 },
    more: { RestartCount: 12 },
    server,
    found: ['restarting'],
  },
  { what: 'one that is paused', state: { Status: 'paused', Running: true, Paused: true }, server },
  {
    what: 'one that nobody starts',
    host: { RestartPolicy: { Name: 'no' } },
    state: { Status: 'exited', Running: false, ExitCode: 0 },
    server,
    found: ['orphan-container'],
  },
  {
    what: 'an earlier task of a service of Swarm',
    config: { Labels: { 'com.docker.swarm.service.name': 'ai_vllm', 'com.docker.swarm.task.id': 't' } },
    host: { RestartPolicy: { Name: '' } },
    state: { Status: 'exited', Running: false, ExitCode: 0 },
    server,
  },
  {
    what: 'a container that a unit starts again',
    config: { Labels: { PODMAN_SYSTEMD_UNIT: 'vllm.service' } },
    host: { RestartPolicy: { Name: '' } },
    state: { Status: 'exited', Running: false, ExitCode: 0 },
    server,
  },
  {
    what: 'the namespaces of the machine',
    host: { PidMode: 'host', NetworkMode: 'host', IpcMode: 'host' },
    server,
    found: ['shares-host'],
  },
  { what: 'the network of another container', host: { NetworkMode: 'container:0123' }, server },
  { what: 'all rights', host: { Privileged: true }, server, found: ['privileged'] },
  {
    what: 'a token',
    config: { Env: ['HUGGING_FACE_HUB_TOKEN=hf_1', 'PATH=/bin'] },
    server,
    found: ['secret-in-environment'],
  },
  {
    what: 'the path of a token, an empty one and a count of tokens',
    config: { Env: ['HF_TOKEN_PATH=/run/t', 'HF_TOKEN=', 'MAX_BATCH_PREFILL_TOKENS=4096'] },
    server,
  },
  {
    what: 'two GPUs with little shared memory',
    more: { Args: [...vllm.Args, '-tp', '2'] },
    server,
    found: ['missing-shm'],
  },
  {
    what: 'two GPUs, and shared memory that is mounted',
    host: { Tmpfs: { '/dev/shm': 'size=8g' } },
    more: { Args: [...vllm.Args, '-tp', '2'] },
    server,
  },
  {
    what: 'two GPUs, and that of the machine',
    more: {
      Args: [...vllm.Args, '-tp', '2'],
      Mounts: [{ Type: 'bind', Source: '/dev/shm', Destination: '/dev/shm' }],
    },
    server,
  },
  {
    what: 'two GPUs, and that of another container',
    host: { IpcMode: 'container:0123' },
    more: { Args: [...vllm.Args, '-tp', '2'] },
    server,
  },
  {
    what: 'GPUs by CDI',
    host: { DeviceRequests: [{ Driver: 'cdi', DeviceIDs: ['nvidia.com/gpu=all'] }] },
    server,
  },
  {
    what: 'a published range and addresses of version 6',
    host: { PortBindings: { '8000/tcp': [{ HostIp: '::1', HostPort: '8000' }], '9000-9001/tcp': null } },
    server,
  },
];

for (const { what, config, host, state, more, server: wanted, found = [] } of cases)
  test(`${what}: ${found.join(', ') || 'nothing is wrong'}`, () => {
    const container = observed(
      Inspected.parse({
        Id: 'c0ffee'.padEnd(64, '0'),
        Name: '/vllm',
        RestartCount: 0,
        ...vllm,
        ...more,
        State: { Status: 'running', Running: true, ExitCode: 0, ...state },
        Config: { Image: 'vllm/vllm-openai:v0.11.0', Env: [], Labels: {}, ...config },
        HostConfig: {
          ShmSize: 64 * 1024 ** 2,
          IpcMode: 'private',
          RestartPolicy: { Name: 'always' },
          ...host,
        },
      }),
      'docker',
    );
    const { starts } = container ?? {};
    expect(starts ? `${starts.engine} ${starts.model} ${starts.port}` : none).toBe(wanted);
    const [first] = healthyObservation().hosts;
    if (!first) throw new Error('The healthy machine is gone.');
    const alone = { ...first, servers: [], units: [], listeners: [], modelFiles: [] };
    const seen = { ...healthyObservation(), fleet: null, clusters: [], figures: [] };
    const { findings } = auditReport(
      { ...seen, hosts: [{ ...alone, containers: container ? [container] : [] }] },
      [],
    );
    expect(findings.map((one) => one.rule)).toEqual(found);
    expect(JSON.stringify(findings)).not.toContain('s3cr3t');
  });
