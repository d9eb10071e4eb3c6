import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { noQuotas } from '../../src/gateway/limits/limits.ts';
import { openUsageStore } from '../../src/io/usage-store.ts';
import { wellBehaved } from './fake-upstream.ts';
import { runProgram } from './gateway-process.ts';
import { configFor, engine, errorOf, postChat, sha256, until } from './harness.ts';

test('what a key has spent outlives a gateway that is killed: the next one refuses the key, and no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'berth usage '));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const usageFile = join(folder, 'usage.sqlite');
  const upstream = await engine(wellBehaved);
  const limits = { budget: { month: { tokens: 20 } } };
  const config = configFor([{ url: upstream.url }], {
    keys: ['a', 'b'].map((id) => ({ id, name: id, sha256: sha256(id), limits })),
    quotas: { ...noQuotas, usageFile },
  });
  function ask(url: string, key: string): Promise<Response> {
    return postChat(url, {}, { headers: { authorization: `Bearer ${key}` } });
  }

  const first = await runProgram(config);
  const url = await first.url();
  for (let i = 0; i < 2; i += 1) expect((await ask(url, 'a')).status).toBe(200);
  const store = await openUsageStore(usageFile);
  onTestFinished(() => store.close());
  await until('what was spent is written', () => store.since('2000-01-01')[0]?.requests === 2);
  first.child.kill('SIGKILL');
  await first.ended;

  const next = await (await runProgram(config)).url();
  const refused = await ask(next, 'a');
  expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'insufficient_quota']);
  expect((await ask(next, 'b')).status).toBe(200);
  expect(upstream.seen.length).toBe(3);
});
