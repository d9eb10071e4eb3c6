import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { chat, configFor, dial, errorOf, front, post, postChat, until } from './harness.ts';
import type { Wire } from './harness.ts';

interface Engine {
  readonly url: string;
  readonly kill: () => Promise<void>;
}

async function start(): Promise<Engine> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('slow-engine.mjs', import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => kill(child));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${line.toString().trim()}`, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

function isWhole(wire: Wire): boolean {
  return wire.text().endsWith('\r\n0\r\n\r\n');
}

/** What a client takes the reply for. */
function endOf(wire: Wire): string {
  const text = wire.text();
  const good = text.startsWith('HTTP/1.1 200 ');
  const error = /data: \{"error":\{[^\n]*"code":"upstream_failed"\}\}\n\n\r\n0\r\n\r\n$/.test(text);
  const done = text.includes('data: [DONE]');
  if (good && done && !text.includes('"error"')) return 'whole';
  return good && error && !done ? 'error event' : text;
}

test('when one of two engines is killed under 50 streams, only those that it had begun break, and they say so', async () => {
  const [dies, lives] = await Promise.all([start(), start()]);
  const gateway = await front(
    configFor(
      [dies, lives].map(({ url }) => ({ url, slots: 25 })),
      { limits: { queue: 100 } },
    ),
  );
  const streams = await Promise.all(
    Array.from({ length: 50 }, async (_, i) => {
      const user = i % 3 === 0 ? 'begun' : 'prefill';
      return {
        user,
        wire: await dial(gateway.port, post('/v1/chat/completions', chat({ stream: true, user }))),
      };
    }),
  );
  onTestFinished(() => streams.forEach(({ wire }) => wire.socket.destroy()));
  await until('all are under way', async () => (await gateway.metric('berth_gateway_inflight')) === 50);
  const begun = streams.filter(({ user }) => user === 'begun').map(({ wire }) => wire);
  await until('a third has begun', () => begun.every((wire) => wire.text().includes('first')));
  const broken = begun.filter((wire) => /x-berth-upstream: u0/i.test(wire.text()));
  expect(broken.length).toBeGreaterThan(0);
  expect(broken.length).toBeLessThan(begun.length);

  await dies.kill();
  await until('the broken ones have ended', () => broken.every(isWhole));
  await fetch(`${lives.url}/release`);
  await until('all have ended', () => streams.every(({ wire }) => isWhole(wire)));

  const whole = streams.map(({ wire }) => wire).filter((wire) => !broken.includes(wire));
  expect(whole.map(endOf)).toEqual(whole.map(() => 'whole'));
  expect(broken.map(endOf)).toEqual(broken.map(() => 'error event'));
  expect(await gateway.metric('berth_gateway_retries_total')).toBeGreaterThan(0);
  expect(await gateway.metric('berth_gateway_inflight')).toBe(0);

  await lives.kill();
  const refused = await postChat(gateway.url, { stream: true });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect((await errorOf(refused)).code).toBe('no_healthy_instance');
});
