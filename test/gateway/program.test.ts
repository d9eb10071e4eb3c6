import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, postChat } from './harness.ts';

test('the process says where it listens, reads its file again on SIGHUP and drains on SIGTERM', async () => {
  const upstream = await engine(wellBehaved);
  const program = await runProgram(configFor([{ url: upstream.url }], { limits: { drainMs: 5000 } }));
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

test('a SIGHUP that comes while its file is read for the first time has it read once more', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth-gateway-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  // A pipe: it is read for as long as it is written.
  const file = join(folder, 'gateway.json');
  execFileSync('mkfifo', [file]);
  const program = await runProgram('', ['--config', file]);
  const pipe = await open(file, 'w');
  program.child.kill('SIGHUP');
  await pipe.writeFile(JSON.stringify(configFor([], { routes: [] })));
  await pipe.close();
  const url = await program.url();
  await writeFile(file, JSON.stringify(configFor([], { routes: [] })));
  await program.saw('reloaded');
  expect((await fetch(`${url}/v1/models`)).status).toBe(200);
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
  const program = await runProgram(configFor([{ url: upstream.url }], { limits: { drainMs: 10_000 } }));
  const reply = await postChat(await program.url(), { stream: true });
  program.child.kill('SIGTERM');
  await program.saw('draining');
  finish.resolve();
  expect(await reply.text()).toContain('finished');
  expect(await program.ended).toBe(0);
});

test('started with its parent, it ends when the parent does', async () => {
  const program = await runProgram(configFor([]), ['--with-parent']);
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
  const program = await runProgram(config);
  expect(await program.ended).toBe(2);
  const { error } = (await program.saw('failed')) as { error: { facts: { faults: string[] } } };
  expect(error.facts.faults).toHaveLength(4);
});

test('a port that is taken is named, and the process ends', async () => {
  const upstream = await engine(wellBehaved);
  const program = await runProgram(
    configFor([], { listen: [{ address: '127.0.0.1', port: upstream.port }] }),
  );
  expect(await program.ended).toBe(1);
  expect(await program.saw('failed')).toMatchObject({
    error: { code: 'PORT_TAKEN', facts: { address: '127.0.0.1', port: upstream.port } },
  });
});
