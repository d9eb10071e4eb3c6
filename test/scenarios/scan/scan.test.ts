import { linkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { berth, createFakes, freePort, scanReport, serverOf } from './fakes.ts';

test('a server is seen with its engine, model, port and memory, whatever stands in front of it', async () => {
  using fakes = createFakes();
  const program = fakes.program('llama-server');
  const model = join(fakes.dir, 'tiny.gguf');
  writeFileSync(model, 'not read');
  const wrappers: readonly (readonly string[])[] = [
    [],
    ['env', 'GGML_X=1', 'nice', '-n', '1'],
    ['timeout', '300'],
    ['setsid', '--wait'],
    ['stdbuf', '-oL'],
    ['taskset', '-c', '0'],
  ];
  const direct = await Promise.all(
    wrappers.map(async (front) =>
      fakes.start([...front, program, '-m', model, '--port', String(await freePort())]),
    ),
  );
  const viaShell = await fakes.start([
    'sh',
    '-c',
    `cd / && "${program}" -m '${model}' --port ${await freePort()} --parallel 2 -c 8192; echo ended`,
  ]);
  const report = await scanReport();
  for (const { pid, port } of [...direct, viaShell]) {
    const server = serverOf(report, pid);
    expect(server).toMatchObject({ engine: 'llama.cpp', model, state: 'answers', served: ['fake'] });
    expect(server?.endpoints).toMatchObject([{ address: '127.0.0.1', port, here: true }]);
    expect(server?.rssBytes).toBeGreaterThan(1_000_000);
  }
  const launchers = [...direct, viaShell].filter(({ pid, launcher }) => pid !== launcher);
  expect(launchers.length).toBeGreaterThanOrEqual(2);
  expect(launchers.filter(({ launcher }) => serverOf(report, launcher))).toEqual([]);
  expect(serverOf(report, viaShell.pid)?.options).toMatchObject({ slots: 2, context: 4096 });
});

test('other engines are seen, and what they start is folded under them', async () => {
  using fakes = createFakes();
  const vllm = await fakes.start([
    fakes.program('vllm'),
    'serve',
    'Qwen/Qwen3-0.6B',
    '--port',
    String(await freePort()),
  ]);
  const runner = [
    fakes.program('ollama'),
    'runner',
    '--model',
    '/blobs/sha256-aa',
    '--port',
    String(await freePort()),
  ];
  const ollama = await fakes.start([fakes.program('ollama'), 'serve'], {
    CHILD: JSON.stringify(runner),
    ANSWERS: JSON.stringify({
      '/api/version': { version: '0.12.0' },
      '/api/ps': { models: [{ name: 'gemma3' }] },
    }),
  });
  const report = await scanReport();
  expect(serverOf(report, vllm.pid)).toMatchObject({
    engine: 'vllm',
    model: 'Qwen/Qwen3-0.6B',
    children: [],
  });
  const seen = report.servers.find(
    (server) =>
      server.process.pid === ollama.pid || server.children.some((child) => child.pid === ollama.pid),
  );
  expect(seen).toMatchObject({
    engine: 'ollama',
    version: '0.12.0',
    served: ['gemma3'],
    children: [{ engine: 'ollama', model: '/blobs/sha256-aa' }],
  });
  expect(report.servers.filter((server) => server.command.includes('runner'))).toEqual([]);
});

test('one model held twice is found, also through a link; replicas of one deployment are not', async () => {
  using fakes = createFakes();
  const program = fakes.program('llama-server');
  const model = join(fakes.dir, 'a.gguf');
  writeFileSync(model, 'not read');
  symlinkSync(model, join(fakes.dir, 'b.gguf'));
  linkSync(model, join(fakes.dir, 'c.gguf'));
  const started: { pid: number }[] = [];
  for (const name of ['a', 'b', 'c']) {
    started.push(
      await fakes.start([program, '-m', join(fakes.dir, `${name}.gguf`), '--port', String(await freePort())]),
    );
  }
  const report = await scanReport();
  const finding = report.findings.find(
    (one) =>
      one.rule === 'duplicate' && one.evidence.some((line) => line.includes(`process ${started[0]?.pid})`)),
  );
  expect(finding?.message).toContain('3 servers hold the same model');
  expect(finding?.evidence).toHaveLength(3);
  expect(finding?.cure).toContain(`kill ${started[2]?.pid}`);
});

test('a server that is silent, loading, deaf or keyed is told apart', async () => {
  using fakes = createFakes();
  const program = fakes.program('llama-server');
  const held = await freePort();
  const holder = await fakes.start([
    fakes.program('llama-server-holder'),
    '-m',
    'h.gguf',
    '--port',
    String(held),
  ]);
  async function start(behave: string, port: number): Promise<number> {
    return (await fakes.start([program, '-m', `${behave}.gguf`, '--port', String(port)], { BEHAVE: behave }))
      .pid;
  }
  const silent = await start('silent', await freePort());
  const loading = await start('loading', await freePort());
  const keyed = await start('keyed', await freePort());
  const deaf = await start('deaf', held);
  const report = await scanReport();
  expect(serverOf(report, silent)).toMatchObject({ state: 'silent' });
  expect(serverOf(report, loading)).toMatchObject({ state: 'loading' });
  expect(serverOf(report, keyed)).toMatchObject({ state: 'answers', keyed: true });
  expect(serverOf(report, deaf)).toMatchObject({ state: 'silent', endpoints: [] });
  expect(serverOf(report, holder.pid)).toMatchObject({ state: 'answers' });
  function rules(pid: number): string[] {
    return report.findings.filter((one) => one.object.includes(`process ${pid})`)).map((one) => one.rule);
  }
  expect(rules(silent)).toEqual(['not-answering']);
  expect(rules(deaf)).toEqual(['port-held']);
  expect(rules(loading)).toEqual([]);
});

test('a key on a command line is a finding and is never printed; an open port and tools are findings', async () => {
  using fakes = createFakes();
  const argv = [fakes.program('llama-server'), '-m', 'x.gguf', '--port', String(await freePort())];
  const secret = 'sk-very-secret-4711';
  const keyed = await fakes.start([...argv, '--api-key', secret]);
  const open = await fakes.start(
    [...argv.slice(0, 3), '--port', String(await freePort()), '--tools', 'all'],
    {
      BIND: '0.0.0.0',
    },
  );
  const [json, text] = await Promise.all([
    berth(['scan', '--json', '--timeout', '20s']),
    berth(['--timeout', '20s']),
  ]);
  expect(json.code).toBe(0);
  expect(json.out + text.out).not.toContain(secret);
  for (const [pid, rule] of [
    [keyed.pid, 'secret-in-argv'],
    [open.pid, 'open-without-key'],
    [open.pid, 'exposed-tools'],
  ] as const) {
    expect(JSON.parse(json.out).findings).toContainEqual(
      expect.objectContaining({ rule, object: expect.stringContaining(`process ${pid})`) }),
    );
  }
  expect(text.out).toContain('critical: llama.cpp x.gguf');
  expect(text.out).toContain('Cure: Start it without --tools');
});

test('a program that only looks like a model server is asked who it is', async () => {
  using fakes = createFakes();
  const known = await fakes.start([fakes.program('my-llm-server'), '--port', String(await freePort())], {
    ANSWERS: JSON.stringify({ '/props': { build_info: 'b1-abc', model_path: '/m/q.gguf' } }),
  });
  const generic = await fakes.start([fakes.program('serve-llm'), '--port', String(await freePort())]);
  const none = await fakes.start([fakes.program('llm-dashboard'), '--port', String(await freePort())], {
    ANSWERS: JSON.stringify({ '/v1/models': { pages: [] } }),
  });
  const unrelated = await fakes.start([fakes.program('shop'), '--port', String(await freePort())]);
  const report = await scanReport();
  expect(serverOf(report, known.pid)).toMatchObject({
    engine: 'llama.cpp',
    model: '/m/q.gguf',
    version: 'b1-abc',
  });
  expect(serverOf(report, generic.pid)).toMatchObject({ engine: 'unknown', served: ['fake'] });
  expect(serverOf(report, none.pid)).toBeUndefined();
  expect(serverOf(report, unrelated.pid)).toBeUndefined();
});

test('processes that only name a model server are left out', async () => {
  using fakes = createFakes();
  const log = join(fakes.dir, 'llama-server.log');
  writeFileSync(log, '');
  // Each says so once it runs, as the fake servers do.
  const ready = 'echo "{\\"pid\\":$$,\\"port\\":0}"';
  const shell = await fakes.start([
    'sh',
    '-c',
    `${ready}; while :; do sleep 60; done # llama-server -m x.gguf`,
  ]);
  const tail = await fakes.start(['sh', '-c', `${ready}; exec tail -f ${log}`]);
  const report = await scanReport();
  expect(serverOf(report, shell.pid)).toBeUndefined();
  expect(serverOf(report, tail.pid)).toBeUndefined();
});

test('a fleet file in the folder is named as the next step', async () => {
  using fakes = createFakes();
  writeFileSync(join(fakes.dir, 'berth.yaml'), 'version: 1\n');
  const { out } = await berth([], fakes.dir);
  expect(out).toContain('berth.yaml describes a fleet');
});
