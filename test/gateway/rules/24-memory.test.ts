import { expect, test } from 'vitest';
import { chatEvent } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import { probed, probeFlags, runProgram } from '../gateway-process.ts';
import { configFor, dial, engine, post, chat, until } from '../harness.ts';

const MiB = 1024 * 1024;

test('rule 24: of a long reply only its end is kept', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const program = await runProgram(configFor([{ url: upstream.url }]), [], probeFlags);
  const port = Number(new URL(await program.url()).port);
  const wire = await dial(port, post('/v1/chat/completions', chat({ stream: true })));
  await until('the engine has it', () => held.length === 1);
  const turn = held[0] as Turn;
  turn.stream();
  turn.chunk(chatEvent('first'));
  await until('it has begun', () => wire.text().includes('first'));
  const before = await probed(program);
  const event = chatEvent('y'.repeat(1000));
  for (let i = 0; i < 32 * 1024; i += 1) turn.chunk(event);
  turn.chunk(chatEvent('last'));
  await until(
    'all is through',
    () => wire.socket.bytesRead > 32 * MiB && wire.text().endsWith(`${chatEvent('last')}\r\n`),
  );
  const after = await probed(program);
  expect(after.heap + after.arrayBuffers - before.heap - before.arrayBuffers).toBeLessThan(8 * MiB);
  wire.socket.destroy();
});
