import { expect, test } from 'vitest';
import { tcpRow } from '../../test/support/proc-tree.ts';
import type { FakeProcess } from '../../test/support/proc-tree.ts';
import { scanTree } from '../../test/support/scan-tree.ts';

interface Case {
  readonly what: string;
  readonly processes: readonly FakeProcess[];
  /** "engine pid" of each server. */
  readonly servers: readonly string[];
  /** Ports of loopback that answer, with what they answer to which path. */
  readonly replies?: Readonly<Record<string, string>>;
  readonly found?: readonly string[];
}

const llama = ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '8080'];
const vllm = ['/opt/venv/bin/python3', '/opt/venv/bin/vllm', 'serve', 'org/m'];
const tmux = '/user.slice/user-1000.slice/session-3.scope';

const cases: readonly Case[] = [
  {
    what: 'runit',
    processes: [
      { pid: 10, argv: ['runsvdir', '-P', '/etc/service', 'log: llama-server -m a.gguf'] },
      { pid: 11, ppid: 10, argv: ['runsv', 'llama-server'] },
      { pid: 12, ppid: 11, argv: ['svlogd', '-tt', '/var/log/llama-server'] },
      { pid: 13, ppid: 11, argv: llama, sockets: [8080] },
    ],
    servers: ['llama.cpp 13'],
  },
  {
    what: 's6',
    processes: [
      { pid: 10, argv: ['s6-svscan', '/run/service'] },
      { pid: 11, ppid: 10, argv: ['s6-supervise', 'llama-server'] },
      { pid: 12, ppid: 11, argv: llama, sockets: [8080] },
    ],
    servers: ['llama.cpp 12'],
  },
  {
    what: 'supervisord',
    processes: [
      {
        pid: 10,
        argv: ['/usr/bin/python3', '/usr/bin/supervisord', '-c', '/etc/vllm.conf'],
        sockets: [9001],
      },
      { pid: 11, ppid: 10, argv: vllm, sockets: [8000] },
      { pid: 12, ppid: 11, argv: ['VLLM::EngineCore'] },
    ],
    servers: ['vllm 11'],
  },
  {
    what: 'pm2',
    processes: [
      { pid: 10, argv: ['PM2 v5.4.2: God Daemon (/root/.pm2)'] },
      {
        pid: 11,
        ppid: 10,
        argv: ['node', '/usr/lib/node_modules/pm2/lib/ProcessContainerForkBash.js', 'llama-server'],
      },
      { pid: 12, ppid: 10, argv: llama, sockets: [8080] },
    ],
    servers: ['llama.cpp 12'],
  },
  {
    what: 'tmux with two servers',
    processes: [
      { pid: 10, argv: ['tmux: server'], cgroup: tmux },
      { pid: 11, ppid: 10, argv: ['-bash'], cgroup: tmux },
      { pid: 12, ppid: 11, argv: vllm, sockets: [8000], cgroup: tmux },
      { pid: 13, ppid: 12, argv: ['VLLM::EngineCore'], cgroup: tmux },
      { pid: 14, ppid: 10, argv: ['-bash'], cgroup: tmux },
      {
        pid: 15,
        ppid: 14,
        argv: [...vllm.slice(0, 3), 'org/n', '--port', '8001'],
        sockets: [8001],
        cgroup: tmux,
      },
      { pid: 16, ppid: 15, argv: ['VLLM::EngineCore'], cgroup: tmux },
    ],
    servers: ['vllm 12', 'vllm 15'],
  },
  {
    what: 'a script of Python around a server',
    processes: [
      { pid: 10, argv: ['python3', 'run_llama.py', '--model', 'a'] },
      { pid: 11, ppid: 10, argv: llama, sockets: [8080] },
    ],
    servers: ['llama.cpp 11'],
  },
  {
    what: 'API servers and workers of vLLM',
    processes: [
      { pid: 10, argv: [...vllm, '--api-server-count', '2', '-dp', '2', '--port', '8000'], sockets: [8000] },
      { pid: 11, ppid: 10, argv: ['VLLM::APIServer_0'], sockets: [8000] },
      { pid: 12, ppid: 10, argv: ['VLLM::APIServer_1'], sockets: [8000] },
      { pid: 13, ppid: 10, argv: ['VLLM::DPCoordinator'] },
      { pid: 14, ppid: 10, argv: ['VLLM::EngineCore_DP0'] },
      { pid: 15, ppid: 10, argv: ['VLLM::EngineCore_DP1'] },
      { pid: 16, ppid: 14, argv: ['VLLM::Worker_TP0'] },
    ],
    servers: ['vllm 10'],
  },
  {
    what: 'workers that Python starts anew',
    processes: [
      { pid: 10, argv: vllm, sockets: [8000] },
      {
        pid: 11,
        ppid: 10,
        argv: ['/opt/venv/bin/python3', '-c', 'from multiprocessing.resource_tracker import main;main(5)'],
      },
      {
        pid: 12,
        ppid: 10,
        argv: [
          '/opt/venv/bin/python3',
          '-c',
          'from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=6)',
          '--multiprocessing-fork',
        ],
      },
      { pid: 13, ppid: 12, argv: vllm },
    ],
    servers: ['vllm 10'],
  },
  {
    what: 'a vLLM whose workers Ray started',
    processes: [
      { pid: 10, argv: [...vllm, '-tp', '2'], sockets: [8000], cgroup: tmux },
      { pid: 20, argv: ['/ray/raylet/raylet'], cgroup: tmux },
      { pid: 21, ppid: 20, argv: ['ray::RayWorkerWrapper.execute_method'], cgroup: tmux },
      { pid: 22, ppid: 20, argv: ['ray::RayWorkerProc'], cgroup: tmux },
    ],
    servers: ['vllm 10'],
  },
  {
    what: 'SGLang by data parallel',
    processes: [
      {
        pid: 10,
        argv: ['python3', '-m', 'sglang.launch_server', '--model-path', 'org/m', '--port', '30000'],
        sockets: [30_000],
      },
      { pid: 11, ppid: 10, argv: ['sglang::data_parallel_controller'] },
      { pid: 12, ppid: 11, argv: ['sglang::scheduler_DP0_TP0'] },
      { pid: 13, ppid: 11, argv: ['sglang::scheduler_DP1_TP0'] },
      { pid: 14, ppid: 10, argv: ['sglang::detokenizer'] },
    ],
    servers: ['sglang 10'],
  },
  {
    what: 'TGI in its container',
    processes: [
      {
        pid: 10,
        argv: ['text-generation-launcher', '--json-output'],
        env: { MODEL_ID: 'org/m', NUM_SHARD: '2', PORT: '80' },
      },
      {
        pid: 11,
        ppid: 10,
        argv: [
          '/opt/conda/bin/python3.11',
          '/opt/conda/bin/text-generation-server',
          'serve',
          'org/m',
          '--sharded',
        ],
      },
      {
        pid: 12,
        ppid: 10,
        argv: [
          '/opt/conda/bin/python3.11',
          '/opt/conda/bin/text-generation-server',
          'serve',
          'org/m',
          '--sharded',
        ],
      },
      {
        pid: 13,
        ppid: 10,
        argv: ['text-generation-router', '--port', '8080', '--master-shard-uds-path', '/tmp/tgi'],
        sockets: [8080],
      },
    ],
    servers: ['tgi 10'],
  },
  {
    what: 'a llama-server that routes',
    processes: [
      { pid: 10, argv: ['llama-server', '--models-dir', '/m', '--port', '8080'], sockets: [8080] },
      {
        pid: 11,
        ppid: 10,
        argv: ['/usr/bin/llama-server', '-m', '/m/a.gguf', '--port', '39001', '--alias', 'a'],
        sockets: [39_001],
      },
    ],
    servers: ['llama-router 10'],
  },
  {
    what: 'Ollama with a llama-server below it',
    processes: [
      { pid: 10, argv: ['/usr/bin/ollama', 'serve'], sockets: [11_434] },
      {
        pid: 11,
        ppid: 10,
        argv: ['/usr/lib/ollama/llama-server', '--model', '/m/sha256-1', '--port', '41001'],
        sockets: [41_001],
      },
    ],
    servers: ['ollama 10'],
  },
  {
    what: 'sudo and its pseudo terminal',
    processes: [
      { pid: 10, argv: ['sudo', ...llama] },
      { pid: 11, ppid: 10, argv: ['sudo', ...llama] },
      { pid: 12, ppid: 11, argv: llama, sockets: [8080] },
    ],
    servers: ['llama.cpp 12'],
  },
  {
    what: 'a server with a certificate',
    processes: [
      { pid: 10, argv: [...llama, '--ssl-key-file', '/k', '--ssl-cert-file', '/c'], sockets: [8080] },
    ],
    servers: ['llama.cpp 10'],
    replies: { 'https://127.0.0.1:8080/health': '{}' },
  },
  {
    what: 'a vLLM with a certificate',
    processes: [{ pid: 10, argv: [...vllm, '--ssl-keyfile=/k', '--ssl-certfile=/c'], sockets: [8000] }],
    servers: ['vllm 10'],
    replies: { 'https://127.0.0.1:8000/health': '' },
  },
  {
    what: 'a server behind a prefix',
    processes: [{ pid: 10, argv: [...llama, '--api-prefix', '/chat'], sockets: [8080] }],
    servers: ['llama.cpp 10'],
    replies: { 'http://127.0.0.1:8080/chat/health': '{}' },
  },
  {
    what: 'a prefix by a variable',
    processes: [{ pid: 10, argv: llama, env: { LLAMA_ARG_API_PREFIX: '/chat' }, sockets: [8080] }],
    servers: ['llama.cpp 10'],
    replies: { 'http://127.0.0.1:8080/chat/health': '{}' },
  },
  {
    what: 'a server that hangs',
    processes: [{ pid: 10, argv: llama, sockets: [8080] }],
    servers: ['llama.cpp 10'],
    replies: {},
    found: ['not-answering'],
  },
];

for (const { what, processes, servers: wanted, replies, found = [] } of cases)
  test(`${what}: each server is one, and ${found.join(', ') || 'nothing is wrong'}`, async () => {
    const ports = [...new Set(processes.flatMap(({ sockets = [] }) => sockets))];
    const tcp = ports.map((port) => tcpRow('0100007F', port, port));
    const berth = { pid: 1, argv: ['node', '/opt/berth/bin/berth.js'], netns: '100', tcp };
    const usual = Object.fromEntries(ports.map((port) => [`http://127.0.0.1:${port}/health`, '{}']));
    const report = await scanTree(
      [berth, ...processes.map((one) => ({ netns: '100', ...one }))],
      replies ?? usual,
    );
    expect(report.servers.map(({ engine, process }) => `${engine} ${process.pid}`).toSorted()).toEqual(
      wanted,
    );
    expect(report.findings.map((one) => one.rule)).toEqual(found);
  });
