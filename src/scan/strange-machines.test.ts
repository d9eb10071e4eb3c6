import { expect, test } from 'vitest';
import { tcpRow } from '../../test/support/proc-tree.ts';
import type { FakeProcess } from '../../test/support/proc-tree.ts';
import { scanTree } from '../../test/support/scan-tree.ts';
import type { ScanReport } from '../domain/scan-report.ts';

const id64 = 'c0ffee'.padEnd(64, '0');
const pod = '0f3c9a52-1111-2222-3333-444455556666';

/** A machine on which these processes listen on their ports of loopback; what is asked there answers as a healthy server. */
function machine(processes: readonly FakeProcess[]): Promise<ScanReport> {
  const ports = processes.flatMap(({ sockets = [], tcp }) => (tcp ? [] : [...sockets]));
  const tcp = ports.map((port) => tcpRow('0100007F', port, port));
  const berth = { pid: 1, argv: ['node', '/opt/berth/bin/berth.js'], netns: '100', tcp };
  const replies = Object.fromEntries(ports.map((port) => [`http://127.0.0.1:${port}/health`, '{}']));
  return scanTree([berth, ...processes.map((one) => ({ netns: '100', ...one }))], replies);
}

/** What is seen: engine and process of each server. */
function servers({ servers: seen }: ScanReport): string[] {
  return seen.map(({ engine, process }) => `${engine} ${process.pid}`).toSorted();
}

interface Case {
  readonly what: string;
  readonly processes: readonly FakeProcess[];
  readonly servers: readonly string[];
}

const cases: readonly Case[] = [
  {
    what: 'rootless podman with its helpers',
    processes: [
      { pid: 10, argv: ['/usr/bin/conmon', '--api-version', '1', '-c', id64, '-n', 'llama-server'] },
      { pid: 11, argv: ['rootlessport'], sockets: [8080] },
      { pid: 12, argv: ['/usr/bin/slirp4netns', '--mtu=65520', '-r', '3'] },
      {
        pid: 13,
        ppid: 10,
        argv: ['/app/llama-server', '-m', '/models/a.gguf', '--host', '0.0.0.0', '--port', '8080'],
        netns: '200',
        sockets: [1],
        tcp: [tcpRow('00000000', 8080, 1)],
        cgroup: `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id64}.scope/container`,
      },
    ],
    servers: ['llama.cpp 13'],
  },
  {
    what: 'vLLM with four workers of tensor parallel and Ray beside it',
    processes: [
      {
        pid: 10,
        argv: ['/opt/venv/bin/python3', '/opt/venv/bin/vllm', 'serve', 'org/m', '-tp', '4'],
        sockets: [8000],
      },
      { pid: 11, ppid: 10, argv: ['VLLM::EngineCore'] },
      ...[12, 13, 14, 15].map((pid, rank) => ({ pid, ppid: 11, argv: [`VLLM::Worker_TP${rank}`] })),
      {
        pid: 20,
        argv: ['/ray/gcs/gcs_server', '--log_dir=/tmp/ray', '--session-name=vllm'],
        sockets: [6379],
      },
      { pid: 21, argv: ['ray::IDLE'], ppid: 22 },
      { pid: 22, argv: ['/ray/raylet/raylet', '--node_ip_address=10.0.0.1'], sockets: [10_001] },
      {
        pid: 23,
        argv: ['/usr/bin/python3', '/ray/dashboard/dashboard.py', '--host=127.0.0.1'],
        sockets: [8265],
      },
    ],
    servers: ['vllm 10'],
  },
  {
    what: 'SGLang with its scheduler and detokenizer',
    processes: [
      {
        pid: 10,
        argv: ['python3', '-m', 'sglang.launch_server', '--model-path', 'org/m', '--port', '30000'],
        sockets: [30_000],
      },
      { pid: 11, ppid: 10, argv: ['sglang::scheduler_TP0'] },
      { pid: 12, ppid: 10, argv: ['sglang::detokenizer'] },
    ],
    servers: ['sglang 10'],
  },
  {
    what: 'programs of AI of which one alone serves models that are asked',
    processes: [
      {
        pid: 10,
        argv: ['python3', 'main.py', '--listen', '--port', '8188', '--output-directory', '/comfyui'],
        sockets: [8188],
      },
      {
        pid: 11,
        argv: ['/usr/local/bin/whisper-server', '-m', '/m/ggml-base.en.bin', '--port', '8178'],
        sockets: [8178],
      },
      { pid: 12, argv: ['tritonserver', '--model-repository=/models/llama'], sockets: [8001] },
      {
        pid: 13,
        argv: ['/usr/bin/python3', '/home/me/.local/bin/jupyter-lab', '--notebook-dir=/srv/transformers'],
        sockets: [8888],
      },
      {
        pid: 14,
        ppid: 13,
        argv: ['python3', '-m', 'ipykernel_launcher', '-f', '/run/user/1000/jupyter/kernel-llama.json'],
        sockets: [45_001],
      },
      { pid: 15, argv: ['nvidia-cuda-mps-control', '-d'] },
      { pid: 16, argv: ['nvidia-cuda-mps-server'] },
      {
        pid: 17,
        argv: ['/opt/venv/bin/python', '/opt/venv/bin/litellm', '--port', '4000', '--model', 'gpt'],
        sockets: [4000],
      },
    ],
    servers: ['triton 12'],
  },
  {
    what: 'a kubelet with its pause containers, and a server in a pod',
    processes: [
      { pid: 10, argv: ['/usr/bin/kubelet', '--pod-manifest-path=/etc/kubernetes/llama'], sockets: [10_250] },
      {
        pid: 11,
        argv: ['/pause'],
        netns: '300',
        tcp: [tcpRow('00000000', 8081, 8081)],
        cgroup: `/kubepods/burstable/pod${pod}/${id64}`,
      },
      {
        pid: 12,
        argv: ['/app/llama-server', '--model', '/models/a.gguf', '--port', '8081'],
        netns: '300',
        sockets: [8081],
        tcp: [],
        cgroup: `/kubepods/burstable/pod${pod}/${id64}`,
      },
    ],
    servers: ['llama.cpp 12'],
  },
  {
    what: 'a daemon in a container, LXC, and folders with spaces and letters of other languages',
    processes: [
      {
        pid: 10,
        argv: ['llama-server', '-m', '/srv/Modèles été/数据 q4.gguf', '--port', '8080'],
        cgroup: `/docker/${'a'.repeat(64)}/docker/${id64}`,
        sockets: [8080],
      },
      {
        pid: 11,
        argv: ['/mnt/c/Program Files/llama/llama-server.exe', '-m', 'C:\\models\\b.gguf', '--port', '8081'],
        sockets: [8081],
      },
      {
        pid: 12,
        argv: ['llama-server', '-m', 'c.gguf', '--port', '8082'],
        cgroup: '/lxc.payload.ai/x',
        sockets: [8082],
      },
    ],
    servers: ['llama.cpp 10', 'llama.cpp 11', 'llama.cpp 12'],
  },
  {
    what: 'Ollama with two runners, TEI, Open WebUI and a proxy in front',
    processes: [
      { pid: 10, argv: ['/usr/local/bin/ollama', 'serve'], sockets: [11_434] },
      ...[41_001, 41_002].map((port) => ({
        pid: port,
        ppid: 10,
        argv: ['/usr/local/bin/ollama', 'runner', '--model', `/m/sha256-${port}`, '--port', String(port)],
        sockets: [port],
      })),
      {
        pid: 12,
        argv: ['text-embeddings-router', '--model-id', 'BAAI/bge-m3', '--port', '8090'],
        sockets: [8090],
      },
      {
        pid: 13,
        argv: ['/app/venv/bin/python', '-m', 'uvicorn', 'open_webui.main:app', '--port', '3000'],
        sockets: [3000],
      },
      { pid: 14, argv: ['caddy', 'run', '--config', '/etc/caddy/ollama.json'], sockets: [8443] },
    ],
    servers: ['ollama 10', 'text-embeddings-inference 12'],
  },
  {
    what: 'shells, editors and tools that name servers, beside one that runs by a wrapper of a wrapper',
    processes: [
      { pid: 10, argv: ['bash', '-c', 'exec env CUDA_VISIBLE_DEVICES=0 llama-server -m a.gguf --port 8080'] },
      { pid: 11, ppid: 10, argv: ['timeout', '1h', 'llama-server', '-m', 'a.gguf', '--port', '8080'] },
      { pid: 12, ppid: 11, argv: ['llama-server', '-m', 'a.gguf', '--port', '8080'], sockets: [8080] },
      { pid: 13, argv: ['watch', '-n', '1', 'nvidia-smi; pgrep llama-server'] },
      { pid: 14, argv: ['strace', '-f', '-p', '12', '-o', 'llama-server.trace'] },
      { pid: 15, argv: ['gdb', '--args', 'vim', 'llama-server.c'] },
      { pid: 16, argv: ['perf', 'record', '-p', '12', '--', 'sleep', '10'] },
      { pid: 17, argv: ['sh', '-c', "echo 'vllm serve org/m' >> notes.md"] },
      { pid: 18, argv: ['crontab', '-e', 'ollama serve'] },
    ],
    servers: ['llama.cpp 12'],
  },
  {
    what: 'zombies, processes without a command line, and programs that were deleted under them',
    processes: [
      { pid: 10, argv: ['llama-server', '-m', 'a.gguf'], state: 'Z' },
      { pid: 11, argv: null },
      { pid: 12, argv: [''] },
      { pid: 13, argv: ['/usr/bin/llama-server (deleted)'], sockets: [8090] },
      { pid: 14, argv: ['llama-server', '-m', 'b.gguf', '--port', '8080'], sockets: [8080] },
    ],
    servers: ['llama.cpp 14'],
  },
];

for (const { what, processes, servers: wanted } of cases)
  test(`${what}: each server is seen once, and no rule is wrong about it`, async () => {
    const report = await machine(processes);
    expect(servers(report)).toEqual([...wanted].toSorted());
    expect(report.findings).toEqual([]);
  });

test('thousands of sockets, and a server that listens on addresses of version 6 alone', async () => {
  const many = Array.from({ length: 3000 }, (_, n) => tcpRow('0100007F', 20_000 + n, 100_000 + n));
  const loopback6 = '00000000000000000000000001000000';
  const report = await scanTree(
    [
      {
        pid: 1,
        argv: ['node', '/opt/berth/bin/berth.js'],
        netns: '100',
        tcp: many,
        tcp6: [tcpRow(loopback6, 8080, 7)],
      },
      {
        pid: 10,
        argv: ['llama-server', '-m', 'a.gguf', '--host', '::1', '--port', '8080'],
        netns: '100',
        sockets: [7],
      },
      {
        pid: 11,
        argv: ['java', '-jar', 'broker.jar'],
        netns: '100',
        sockets: many.map((_, n) => 100_000 + n),
      },
    ],
    { 'http://[::1]:8080/health': '{}' },
  );
  expect(report.servers.map(({ endpoints, state }) => [endpoints.map((one) => one.address), state])).toEqual([
    [['::1'], 'answers'],
  ]);
  expect(report.findings).toEqual([]);
});
