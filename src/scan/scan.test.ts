import { expect, test } from 'vitest';
import { tcpRow } from '../../test/support/proc-tree.ts';
import type { FakeProcess } from '../../test/support/proc-tree.ts';
import { scanTree } from '../../test/support/scan-tree.ts';
import { table } from '../cli/output.ts';
import { renderScan } from './render.ts';

const id64 = 'c0ffee'.padEnd(64, '0');
const podUid = '0f3c9a52-1111-2222-3333-444455556666';

const berthItself: FakeProcess = { pid: 1, argv: ['node', '/opt/berth/bin/berth.js'], netns: '100' };

test('a machine without model servers is told what was looked at, what it is, and the next step', async () => {
  const report = await scanTree([
    berthItself,
    { pid: 2, argv: ['sshd'], tcp: [tcpRow('00000000', 22, 9)], sockets: [9] },
  ]);
  expect(report.servers).toEqual([]);
  expect(report.findings).toEqual([]);
  const text = renderScan(report, table);
  expect(text).toContain('No model server runs here.');
  expect(text).toMatch(
    /Looked at 2 processes and \d listening ports? in 2 network namespaces for: .*vLLM, Ollama/,
  );
  expect(text).toContain('This machine: 2 cores (Example CPU), 8.0 GiB memory, no GPU found.');
  expect(text).toContain('"berth init"');
});

test('servers of units, containers and pods are told apart, in their own network namespaces', async () => {
  function listen(inode: number): Pick<FakeProcess, 'sockets' | 'tcp'> {
    return { sockets: [inode], tcp: [tcpRow('00000000', 8081, inode)] };
  }
  const argv = ['llama-server', '-m', '/models/a.gguf', '--host', '0.0.0.0', '--port', '8081'];
  const report = await scanTree([
    { ...berthItself, tcp: [tcpRow('0100007F', 8081, 10)] },
    {
      pid: 10,
      argv: ['llama-server', '--port', '8081'],
      netns: '100',
      sockets: [10],
      cgroup: '/system.slice/llm.service',
    },
    { pid: 20, argv, netns: '200', ...listen(20), cgroup: `/system.slice/docker-${id64}.scope` },
    { pid: 30, argv, netns: '300', ...listen(30), cgroup: `/kubepods/burstable/pod${podUid}/${id64}` },
    {
      pid: 40,
      argv: ['ollama', 'serve'],
      netns: null,
      env: null,
      cgroup: '/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service',
    },
  ]);
  const seen = report.servers.map((server) => [
    server.process.pid,
    server.owner.kind,
    server.owner.name,
    server.state,
  ]);
  expect(seen).toEqual([
    [10, 'system-unit', 'llm.service', 'silent'],
    [20, 'container', 'docker c0ffee000000', 'unknown'],
    [30, 'pod', podUid, 'unknown'],
    [40, 'user-unit', 'ollama.service', 'unknown'],
  ]);
  expect(report.findings.map((finding) => finding.rule)).toEqual(['not-answering']);
  expect(report.findings[0]?.cure).toContain('journalctl -u llm.service');
  const text = renderScan(report, table);
  expect(text).toContain('0.0.0.0:8081 (own network)');
  expect(text).toContain('1 process hides its environment and sockets. Run with sudo to see them.');
});

test("another user's server is found at its port by the user of the socket", async () => {
  const hidden = { netns: null, env: null };
  const report = await scanTree(
    [
      {
        ...berthItself,
        tcp: [
          tcpRow('0100007F', 11434, 1, '0A', 998),
          tcpRow('00000000', 8080, 2, '0A', 0),
          tcpRow('00000000', 22, 3, '0A', 0),
        ],
      },
      { pid: 10, argv: ['ollama', 'serve'], uid: 998, ...hidden },
      { pid: 11, argv: ['llama-server', '-m', 'a.gguf', '--port', '8080'], uid: 0, ...hidden },
      { pid: 12, argv: ['vllm', 'serve', 'm'], uid: 0, ...hidden },
    ],
    { 'http://127.0.0.1:11434/api/version': '{"version":"0.12.0"}' },
  );
  const seen = report.servers.map(({ endpoints, state }) => [endpoints.map(({ port }) => port), state]);
  expect(seen).toEqual([
    [[11434], 'answers'],
    [[8080], 'silent'],
    [[], 'unknown'],
  ]);
});

test('what a fleet started is shown with its fleet and deployment, whatever the engine', async () => {
  const spec = {
    engine: 'command',
    program: { binary: '/opt/serve' },
    args: [],
    env: {},
    secrets: {},
    model: null,
    mmproj: null,
    writable: [],
    devices: { vendor: 'none', count: 0 },
    readiness: { path: '/health', startTimeoutMs: 1000 },
    metricsPath: null,
    stop: { signal: 'SIGTERM', graceMs: 0 },
    slots: null,
    servedModel: null,
  };
  const place = {
    fleet: 'lab',
    fleetId: 'f1',
    deployment: 'mine',
    replica: 0,
    target: { kind: 'process' },
    address: '127.0.0.1',
    port: 18400,
  };
  const mark = { ...place, logFile: '/l', declared: {}, spec };
  const report = await scanTree([
    { ...berthItself, tcp: [tcpRow('0100007F', 18400, 1)] },
    {
      pid: 10,
      argv: ['/opt/serve', '18400'],
      netns: '100',
      sockets: [1],
      env: { BERTH_MARK: JSON.stringify(mark) },
    },
  ]);
  expect(report.servers).toMatchObject([
    {
      engine: 'command',
      mark: { fleet: 'lab', deployment: 'mine', replica: 0 },
      owner: { kind: 'berth', name: 'lab/mine' },
      endpoints: [{ port: 18400 }],
    },
  ]);
  expect(renderScan(report, table)).toContain('berth lab/mine');
});

test('a published port of a container is where its server is asked', async () => {
  const proxy = ['/usr/bin/docker-proxy', '-proto', 'tcp', '-host-ip', '0.0.0.0', '-host-port', '8090'];
  const report = await scanTree(
    [
      { ...berthItself, tcp: [tcpRow('00000000', 8090, 1), tcpRow('00000000', 8091, 2)] },
      {
        pid: 5,
        argv: [...proxy, '-container-ip', '172.17.0.2', '-container-port', '8080'],
        netns: '100',
        sockets: [1],
      },
      {
        pid: 6,
        argv: [...proxy, '-container-ip', '172.17.0.3', '-container-port', '8080'],
        netns: '100',
        sockets: [2],
      },
      {
        pid: 20,
        argv: ['/app/llama-server', '-m', '/models/a.gguf', '--port', '8080'],
        netns: '200',
        sockets: [20],
        tcp: [tcpRow('00000000', 8080, 20)],
        addresses: ['127.0.0.1', '172.17.0.2'],
        cgroup: `/system.slice/docker-${id64}.scope`,
      },
    ],
    { 'http://127.0.0.1:8090/v1/models': '{"data":[{"id":"a"}]}' },
  );
  expect(report.servers[0]).toMatchObject({ state: 'answers', served: ['a'] });
  expect(report.servers[0]?.endpoints.map(({ port, here }) => [port, here])).toEqual([
    [8090, true],
    [8080, false],
  ]);
  expect(report.findings.map((finding) => finding.rule)).toEqual(['open-without-key']);
});

test('one repository served twice is found, one name served twice is not', async () => {
  const report = await scanTree(
    [
      { ...berthItself, tcp: [1, 2, 3, 4].map((n) => tcpRow('0100007F', 8000 + n, n)) },
      { pid: 11, argv: ['vllm', 'serve', 'Qwen/Qwen3-0.6B'], netns: '100', sockets: [1] },
      { pid: 12, argv: ['sglang', 'serve', '--model-path', 'Qwen/Qwen3-0.6B'], netns: '100', sockets: [2] },
      { pid: 13, argv: ['koboldcpp', '--model', 'a.gguf'], netns: '100', sockets: [3] },
      { pid: 14, argv: ['koboldcpp', '--model', 'b.gguf'], netns: '100', sockets: [4] },
    ],
    Object.fromEntries(
      [1, 2, 3, 4].map((n) => [`http://127.0.0.1:800${n}/v1/models`, '{"data":[{"id":"default"}]}']),
    ),
  );
  const [finding, ...more] = report.findings;
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ rule: 'duplicate', object: 'Qwen/Qwen3-0.6B' });
  expect(finding?.evidence).toHaveLength(2);
});

test('threads above the cores are found over all servers together', async () => {
  const report = await scanTree([
    { ...berthItself, tcp: [tcpRow('0100007F', 8080, 1), tcpRow('0100007F', 8081, 2)] },
    { pid: 10, argv: ['llama-server', '-m', 'a.gguf', '-t', '2'], netns: '100', sockets: [1] },
    { pid: 11, argv: ['llama-server', '-m', 'b.gguf', '--threads', '8'], netns: '100', sockets: [2] },
  ]);
  const finding = report.findings.find((one) => one.rule === 'threads');
  expect(finding).toMatchObject({
    message: expect.stringContaining('10 threads on 2 cores'),
    evidence: ['llama.cpp a.gguf (process 10): 2', 'llama.cpp b.gguf (process 11): 8'],
  });
});

test("a proxy's servers are folded under it, at any depth", async () => {
  const report = await scanTree([
    { ...berthItself, tcp: [tcpRow('00000000', 8080, 1), tcpRow('0100007F', 5800, 2)] },
    {
      pid: 10,
      argv: ['llama-swap', '--config', 'c.yaml', '--listen', ':8080'],
      netns: '100',
      sockets: [1],
      rssKib: 1024,
    },
    {
      pid: 11,
      ppid: 10,
      argv: ['sh', '-c', 'llama-server -m a.gguf --port 5800'],
      netns: '100',
      rssKib: 1024,
    },
    {
      pid: 12,
      ppid: 11,
      argv: ['llama-server', '-m', 'a.gguf', '--port', '5800'],
      netns: '100',
      sockets: [2],
      rssKib: 2048,
    },
  ]);
  expect(report.servers).toHaveLength(1);
  expect(report.servers[0]).toMatchObject({
    engine: 'llama-swap',
    endpoints: [{ port: 8080 }],
    rssBytes: 4096 * 1024,
    children: [{ pid: 12, engine: 'llama.cpp', model: 'a.gguf', ports: [5800] }],
  });
  expect(renderScan(report, table)).toContain('  llama.cpp');
});

test('workers whose server is gone are still shown', async () => {
  const report = await scanTree([
    berthItself,
    { pid: 9, argv: ['VLLM::EngineCore'], netns: '100', rssKib: 5_000_000 },
  ]);
  expect(report.servers).toMatchObject([{ engine: 'vllm', state: 'silent' }]);
});

test('what a server says of itself completes what its command line leaves out', async () => {
  const report = await scanTree(
    [
      { ...berthItself, tcp: [tcpRow('0100007F', 8000, 1)] },
      { pid: 10, argv: ['llama-server', '--models-dir', '/m'], netns: '100', sockets: [1], uid: 0 },
    ],
    {
      'http://127.0.0.1:8000/health': '{"status":"ok"}',
      'http://127.0.0.1:8000/v1/models': '{"data":[{"id":"kimi","owned_by":"llamacpp"}]}',
      'http://127.0.0.1:8000/props': '{"build_info":"b7000-abc","model_path":"/m/kimi.gguf"}',
    },
  );
  expect(report.servers[0]).toMatchObject({
    state: 'answers',
    model: '/m/kimi.gguf',
    served: ['kimi'],
    version: 'b7000-abc',
    owner: { kind: 'unknown', user: 'root' },
    keyed: false,
  });
});

test('answers that are no JSON, or not what was asked for, are no answers', async () => {
  const report = await scanTree(
    [
      { ...berthItself, tcp: [tcpRow('0100007F', 8000, 1)] },
      { pid: 10, argv: ['vllm', 'serve', 'm'], netns: '100', sockets: [1] },
    ],
    { 'http://127.0.0.1:8000/v1/models': '<html>', 'http://127.0.0.1:8000/version': '[]' },
  );
  expect(report.servers[0]).toMatchObject({ state: 'answers', served: [], version: null });
});
