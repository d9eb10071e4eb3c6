import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { GatewayConfig } from '../../src/domain/gateway-config.ts';
import { programArgv } from '../../src/io/program.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import { configFor, engine, postChat, until } from './harness.ts';

interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly file: string;
  readonly events: Record<string, unknown>[];
  readonly ended: Promise<number | null>;
  readonly saw: (event: string) => Promise<Record<string, unknown>>;
  readonly url: () => Promise<string>;
}

async function run(config: GatewayConfig | string, args: string[] = []): Promise<Program> {
  const folder = await mkdtemp(join(tmpdir(), 'berth-gateway-'));
  const file = join(folder, 'gateway.json');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config));
  const [program = '', ...rest] = programArgv('gateway', ['--config', file, ...args]);
  const child = spawn(program, rest);
  const events: Record<string, unknown>[] = [];
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) events.push(JSON.parse(line) as Record<string, unknown>);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true });
  });
  async function saw(name: string): Promise<Record<string, unknown>> {
    await until(`"${name}" is said`, () => events.some(({ event }) => event === name));
    return events.findLast(({ event }) => event === name) ?? {};
  }
  return {
    child,
    file,
    events,
    ended,
    saw,
    url: async () => {
      const { listen } = (await saw('listening')) as { listen: { port: number }[] };
      return `http://127.0.0.1:${listen[0]?.port}`;
    },
  };
}

test('the process says where it listens, reads its file again on SIGHUP and drains on SIGTERM', async () => {
  const upstream = await engine(wellBehaved);
  const program = await run(configFor([{ url: upstream.url }], { limits: { drainMs: 5000 } }));
  const url = await program.url();
  expect((await postChat(url)).status).toBe(200);

  await writeFile(program.file, '{"version":1');
  program.child.kill('SIGHUP');
  expect(await program.saw('reload-failed')).toMatchObject({ error: { code: 'GATEWAY_CONFIG_INVALID' } });
  expect((await postChat(url)).status).toBe(200);

  await writeFile(program.file, JSON.stringify(configFor([], { routes: [] })));
  program.child.kill('SIGHUP');
  await program.saw('reloaded');
  expect((await postChat(url)).status).toBe(404);

  program.child.kill('SIGTERM');
  await program.saw('stopped');
  expect(await program.ended).toBe(0);
});

test('a stream under way at SIGTERM is served to its end', async () => {
  const upstream = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
    upstream.setScript(wellBehaved);
    void finish.promise.then(() => {
      turn.chunk(chatEvent('finished'));
      turn.endChunks();
    });
  });
  const finish = Promise.withResolvers<void>();
  const program = await run(configFor([{ url: upstream.url }], { limits: { drainMs: 10_000 } }));
  const reply = await postChat(await program.url(), { stream: true });
  program.child.kill('SIGTERM');
  await program.saw('draining');
  finish.resolve();
  expect(await reply.text()).toContain('finished');
  expect(await program.ended).toBe(0);
});

test('started with its parent, it ends when the parent does', async () => {
  const program = await run(configFor([]), ['--with-parent']);
  await program.saw('listening');
  program.child.stdin.end();
  expect(await program.ended).toBe(0);
});

test('a config with faults is refused with all of them, and exit code 2', async () => {
  const config = configFor([{ url: 'ftp://x' }, { url: 'http://x', id: 'u0' }], {
    keys: [{ id: 'k', name: 'k', sha256: 'short' }],
    routes: [
      { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
      { name: 'm', to: [{ deployment: 'd', weight: 1 }], aliasOf: null },
    ],
  });
  const program = await run(config);
  expect(await program.ended).toBe(2);
  const { error } = (await program.saw('failed')) as { error: { facts: { faults: string[] } } };
  expect(error.facts.faults).toHaveLength(4);
});

test('a port that is taken is named, and the process ends', async () => {
  const upstream = await engine(wellBehaved);
  const program = await run(configFor([], { listen: [{ address: '127.0.0.1', port: upstream.port }] }));
  expect(await program.ended).toBe(1);
  expect(await program.saw('failed')).toMatchObject({
    error: { code: 'PORT_TAKEN', facts: { address: '127.0.0.1', port: upstream.port } },
  });
});
