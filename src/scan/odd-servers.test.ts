import { expect, test } from 'vitest';
import { tcpRow } from '../../test/support/proc-tree.ts';
import type { FakeProcess } from '../../test/support/proc-tree.ts';
import { scanTree } from '../../test/support/scan-tree.ts';
import type { ScanReport } from '../domain/scan-report.ts';

const berthItself: FakeProcess = { pid: 1, argv: ['node', '/opt/berth/bin/berth.js'], netns: '100' };
const id64 = 'c0ffee'.padEnd(64, '0');

/** A machine with these processes and these ports of loopback, each with the inode of its number. */
function machine(
  ports: readonly number[],
  processes: readonly FakeProcess[],
  replies: Readonly<Record<string, string>> = {},
): Promise<ScanReport> {
  const tcp = ports.map((port) => tcpRow('0100007F', port, port));
  return scanTree([{ ...berthItself, tcp }, ...processes], replies);
}

function found(report: ScanReport): unknown[] {
  return report.servers.map(({ engine, process, endpoints, children }) => [
    engine,
    process.pid,
    endpoints.map(({ port }) => port),
    children.map(({ pid }) => pid),
  ]);
}

const models = '{"data":[{"id":"m","owned_by":"llamacpp"}]}';
const props = '{"build_info":"b6000-abc"}';

test('vLLM with its renamed workers, whoever starts them, is one server, at the port that a worker holds', async () => {
  const cgroup = `/system.slice/docker-${id64}.scope`;
  const common = { netns: '100', cgroup };
  const report = await machine(
    [8000, 29_500],
    [
      // It holds a door for its workers itself, and they hold the one for clients.
      {
        pid: 10,
        argv: ['python3', '/usr/bin/vllm', 'serve', 'org/m', '--port', '8000'],
        sockets: [29_500],
        ...common,
      },
      { pid: 11, ppid: 10, argv: ['VLLM::APIServer_0'], sockets: [8000], ...common },
      { pid: 12, ppid: 10, argv: ['VLLM::EngineCore_DP0'], ...common },
      {
        pid: 13,
        ppid: 12,
        argv: [
          'python3',
          '-c',
          'from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5)',
          '--multiprocessing-fork',
        ],
        ...common,
      },
      // Ray starts its workers by a daemon of its own.
      { pid: 20, argv: ['/opt/ray/raylet/raylet', '--node_ip_address=10.0.0.1'], ...common },
      { pid: 21, ppid: 20, argv: ['ray::RayWorkerWrapper.execute_method'], ...common },
    ],
    { 'http://127.0.0.1:8000/v1/models': '{"data":[{"id":"org/m","owned_by":"vllm"}]}' },
  );
  expect(found(report)).toEqual([['vllm', 10, [8000], [11, 12, 21]]]);
  expect(report.servers[0]?.state).toBe('answers');
  expect(report.findings).toEqual([]);
});

test('workers of a server elsewhere, and servers on sockets by path, are none that fails', async () => {
  const report = await machine(
    [],
    [
      { pid: 20, argv: ['raylet'], netns: '100' },
      { pid: 21, ppid: 20, argv: ['ray::RayWorkerWrapper'], netns: '100' },
      { pid: 30, argv: ['vllm', 'serve', 'org/m', '--headless', '--data-parallel-size', '4'], netns: '100' },
      {
        pid: 40,
        argv: [
          'python3',
          '-m',
          'sglang.launch_server',
          '--model-path',
          'org/m',
          '--nnodes',
          '2',
          '--node-rank',
          '1',
        ],
        netns: '100',
      },
      { pid: 50, argv: ['llama-server', '-m', 'a.gguf', '--host', '/run/llama/a.sock'], netns: '100' },
      {
        pid: 60,
        argv: ['/app/bin/com.docker.llama-server', '--model', 'b.gguf', '--host', 'inference-runner-0.sock'],
        netns: '100',
      },
      { pid: 70, argv: ['vllm', 'serve', 'org/n', '--uds', '/run/vllm.sock'], netns: '100' },
    ],
  );
  expect(report.servers.map(({ process, state }) => [process.pid, state])).toEqual(
    [21, 30, 40, 50, 60, 70].map((pid) => [pid, 'unknown']),
  );
  expect(report.findings).toEqual([]);
});

test('runners, shards and children of routers and proxies are folded under who started them', async () => {
  const report = await machine(
    [11_434, 41_000, 8080, 8091, 8092, 80, 5800, 9000],
    [
      { pid: 10, argv: ['/snap/ollama/105/bin/ollama', 'serve'], netns: '100', sockets: [11_434] },
      {
        pid: 11,
        ppid: 10,
        argv: [
          '/snap/ollama/105/bin/ollama',
          'runner',
          '--ollama-engine',
          '--model',
          '/b/sha256-aa',
          '--port',
          '41000',
        ],
        netns: '100',
        sockets: [41_000],
      },
      {
        pid: 20,
        argv: ['llama-server', '--models-dir', '/m', '--port', '8080'],
        netns: '100',
        sockets: [8080],
      },
      ...[8091, 8092].map((port) => ({
        pid: port,
        ppid: 20,
        argv: ['llama-server', '-m', '/m/same.gguf', '--port', String(port), '--alias', `m${port}`],
        netns: '100',
        sockets: [port],
      })),
      { pid: 30, argv: ['text-generation-launcher', '--model-id', 'org/m', '--port', '80'], netns: '100' },
      { pid: 31, ppid: 30, argv: ['text-generation-router', '--port', '80'], netns: '100', sockets: [80] },
      ...[32, 33].map((pid) => ({
        pid,
        ppid: 30,
        argv: ['/opt/conda/bin/python3.11', '/opt/conda/bin/text-generation-server', 'serve', 'org/m'],
        netns: '100',
      })),
      {
        pid: 40,
        argv: ['llama-swap', '-config', 'c.yaml', '-listen', ':9000'],
        netns: '100',
        sockets: [9000],
      },
      {
        pid: 41,
        ppid: 40,
        argv: ['/x/ld-linux-x86-64.so.2', '/x/llama-server', '-m', 'c.gguf', '--port', '5800'],
        netns: '100',
        sockets: [5800],
      },
    ],
    Object.fromEntries([11_434, 8080, 80, 9000].map((port) => [`http://127.0.0.1:${port}/health`, '{}'])),
  );
  expect(found(report)).toEqual([
    ['ollama', 10, [11_434], [11]],
    ['llama-router', 20, [8080], [8091, 8092]],
    ['tgi', 30, [80], [31, 32, 33]],
    ['llama-swap', 40, [9000], [41]],
  ]);
  expect(report.findings).toEqual([]);
});

test('what forwards to a model server, or runs beside it in its container, is no second server', async () => {
  const ports = [8080, 8081, 8082, 8083, 8084, 8085, 3000];
  const everywhere = Object.fromEntries(
    ports.flatMap((port) => [
      [`http://127.0.0.1:${port}/v1/models`, models],
      [`http://127.0.0.1:${port}/props`, props],
    ]),
  );
  const report = await machine(
    ports,
    [
      {
        pid: 10,
        argv: ['llama-server', '-m', 'a.gguf', '--port', '8080'],
        netns: '100',
        sockets: [8080],
      },
      {
        pid: 11,
        argv: ['kubectl', 'port-forward', 'svc/llama-server', '8081:80'],
        netns: '100',
        sockets: [8081],
      },
      {
        pid: 12,
        argv: ['ssh', '-N', '-L', '8082:127.0.0.1:8080', 'llama-box'],
        netns: '100',
        sockets: [8082],
      },
      {
        pid: 13,
        argv: ['socat', 'TCP-LISTEN:8083,fork', 'TCP:llama:8080'],
        netns: '100',
        sockets: [8083],
      },
      {
        pid: 14,
        argv: ['nginx: master process nginx -c /etc/nginx/vllm.conf'],
        netns: '100',
        sockets: [8084],
      },
      {
        pid: 15,
        argv: ['/srv/llm/venv/bin/python3', '/srv/llm/venv/bin/litellm', '--config', 'openai.yaml'],
        netns: '100',
        sockets: [8085],
      },
      {
        pid: 16,
        argv: ['/usr/bin/python3', '/srv/llm/venv/bin/open-webui', 'serve'],
        netns: '100',
        sockets: [3000],
      },
      {
        pid: 20,
        argv: ['/usr/bin/conmon', '--api-version', '1', '-n', 'vllm', '-r', '/usr/bin/crun'],
        netns: '100',
      },
      { pid: 21, argv: ['/pause'], netns: '200' },
    ],
    everywhere,
  );
  expect(found(report)).toEqual([['llama.cpp', 10, [8080], []]]);
  expect(report.findings).toEqual([]);
});

test('any program may tell a version: that alone makes it no Ollama', async () => {
  const app = { pid: 10, argv: ['/srv/llm/bin/app'], netns: '100', sockets: [3000] };
  const answers = { 'http://127.0.0.1:3000/api/version': '{"version":"0.6.5"}' };
  expect((await machine([3000], [app], answers)).servers).toEqual([]);
  const more = { ...answers, 'http://127.0.0.1:3000/api/ps': '{"models":[]}' };
  expect(found(await machine([3000], [app], more))).toEqual([['ollama', 10, [3000], []]]);
});

test('replicas of one data-parallel server, and parts that share its work, hold no duplicate', async () => {
  function vllm(pid: number, ...words: string[]): FakeProcess {
    return {
      pid,
      argv: ['vllm', 'serve', 'org/m', '--port', String(pid), ...words],
      netns: '100',
      sockets: [pid],
    };
  }
  const ports = [8001, 8002, 8003, 8004, 8005];
  const replies = Object.fromEntries(ports.map((port) => [`http://127.0.0.1:${port}/health`, '{}']));
  function transfer(role: string): string[] {
    return ['--kv-transfer-config', `{"kv_role":"${role}"}`];
  }
  const apart = await machine(
    ports,
    [
      vllm(8001, '--data-parallel-rank', '0'),
      vllm(8002, '--data-parallel-rank', '1'),
      vllm(8003, ...transfer('kv_producer')),
      vllm(8004, ...transfer('kv_consumer')),
      vllm(8005, '--runner', 'pooling'),
    ],
    replies,
  );
  expect(apart.servers).toHaveLength(5);
  expect(apart.findings).toEqual([]);
  const twice = await machine(ports, [vllm(8001), vllm(8002)], replies);
  expect(twice.findings.map((one) => one.rule)).toEqual(['duplicate']);
});

test('a key in variables that rights hide is not taken for a missing one', async () => {
  const report = await scanTree([
    { ...berthItself, tcp: [tcpRow('00000000', 8000, 1, '0A', 998)] },
    { pid: 10, argv: ['vllm', 'serve', 'org/m', '--port', '8000'], uid: 998, netns: null, env: null },
  ]);
  expect(report.servers[0]).toMatchObject({ keyed: null, endpoints: [{ port: 8000 }] });
  expect(report.findings.map((one) => one.rule)).toEqual(['not-answering']);
});

test('servers of containers on the network of the machine, of podman and of snap are told by who keeps them', async () => {
  const unit = '/system.slice/snap.ollama.listener.service';
  const libpod = `/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${id64}.scope/container`;
  const nested = `/docker/${id64}/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod0f3c9a52_1111_2222_3333_444455556666.slice`;
  const report = await machine(
    [8001, 8002, 8003, 8004],
    [
      { pid: 11, argv: ['vllm', 'serve', 'a/a'], cgroup: `/docker/${id64}`, netns: '100', sockets: [8001] },
      { pid: 12, argv: ['vllm', 'serve', 'b/b'], cgroup: libpod, netns: '100', sockets: [8002] },
      { pid: 13, argv: ['ollama', 'serve'], cgroup: unit, netns: '100', sockets: [8003] },
      { pid: 14, argv: ['vllm', 'serve', 'c/c'], cgroup: nested, netns: '100', sockets: [8004] },
    ],
    Object.fromEntries([1, 2, 3, 4].map((n) => [`http://127.0.0.1:800${n}/health`, '{}'])),
  );
  expect(report.servers.map(({ owner }) => [owner.kind, owner.name])).toEqual([
    ['container', 'docker c0ffee000000'],
    ['container', 'podman c0ffee000000'],
    ['system-unit', 'snap.ollama.listener.service'],
    ['pod', '0f3c9a52-1111-2222-3333-444455556666'],
  ]);
  expect(report.findings).toEqual([]);
});
