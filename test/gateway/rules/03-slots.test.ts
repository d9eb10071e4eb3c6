import { expect, test } from 'vitest';
import { chatEvent } from '../fake-upstream.ts';
import type { Script } from '../fake-upstream.ts';
import { configFor, engine, front, postChat, until } from '../harness.ts';

test('rule 3: every slot is given back exactly once, whatever way the requests end', async () => {
  const engines = await Promise.all([0, 1].map((seed) => engine(chaos(seed))));
  const gateway = await front(
    configFor(
      engines.map(({ url }) => ({ url, slots: 2 })),
      { limits: { queue: 100 } },
    ),
  );
  const ends = Array.from({ length: 60 }, async (_, i) => {
    const leave = new AbortController();
    if (i % 3 === 0) setTimeout(() => leave.abort(), (i * 7) % 40);
    try {
      const reply = await postChat(gateway.url, { stream: i % 2 === 0 }, { signal: leave.signal });
      await reply.text();
    } catch {
      // Left, or cut: what counts is what remains.
    }
  });
  await Promise.all(ends);
  await until('nothing is under way', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(await gateway.metric('berth_gateway_queue_depth')).toBe(0);
  expect(await gateway.metric('berth_gateway_body_bytes')).toBe(0);
  for (const one of engines) one.setScript((turn) => turn.json(200, {}));
  const after = await Promise.all(Array.from({ length: 8 }, () => postChat(gateway.url)));
  expect(after.map((reply) => reply.status)).toEqual(Array.from({ length: 8 }, () => 200));
});

/** Answers well, breaks off or resets by turns. */
function chaos(seed: number): Script {
  let turnNumber = seed;
  return (turn) => {
    turnNumber += 1;
    const kind = turnNumber % 6;
    if (kind === 0) turn.reset();
    else if (kind === 1) turn.json(503, { error: { message: 'Loading model' } });
    else if (kind === 2) turn.json(200, { ok: true });
    else if (kind === 5) turn.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
    else {
      turn.stream();
      turn.chunk(chatEvent('a'));
      if (kind === 3) turn.reset();
      else turn.endChunks();
    }
  };
}
