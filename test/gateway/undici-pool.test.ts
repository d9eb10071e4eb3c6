import { expect, onTestFinished, test } from 'vitest';
import type { UpstreamFailure, UpstreamHead } from '../../src/io/upstream-pool/types.ts';
import { createUndiciPool } from '../../src/io/upstream-pool/undici-pool.ts';
import { chatEvent, doneEvent, startFakeUpstream, wellBehaved } from './fake-upstream.ts';
import { chat, engine, until } from './harness.ts';

/** The pool for https speaks plain HTTP as well: what is tested here is all but the encryption. */

function send(url: string, body: string, options = { connectMs: 2000, idleMs: 20_000 }) {
  const pool = createUndiciPool(new URL(url), options);
  onTestFinished(() => pool.retire());
  const heard = {
    head: null as UpstreamHead | null,
    text: '',
    ended: false,
    failure: null as UpstreamFailure | null,
  };
  const exchange = pool.send(
    { method: 'POST', path: '/v1/chat/completions', headers: ['x-a', 'b'], body: [Buffer.from(body)] },
    {
      onHead: (head) => (heard.head = head),
      onBody: (read) => (heard.text += read.raw.toString('utf8', read.spans[0], read.spans[1])),
      onEnd: () => (heard.ended = true),
      onFail: (failure) => (heard.failure = failure),
    },
  );
  return { heard, exchange };
}

test('a stream comes through as payload, its head told as it is', async () => {
  const upstream = await engine(wellBehaved);
  const { heard } = send(`${upstream.url}/prefix`, chat({ stream: true }));
  await until('it has ended', () => heard.ended);
  expect(heard.text).toBe(['Hel', 'lo', '!'].map(chatEvent).join('') + doneEvent);
  expect(heard.head).toMatchObject({ status: 200, eventStream: true, framing: 'close' });
  expect(upstream.seen[0]).toMatchObject({ path: '/prefix/v1/chat/completions', headers: { 'x-a': 'b' } });
});

test('a plain reply keeps its length', async () => {
  const upstream = await engine((turn) => turn.json(200, { ok: true }));
  const { heard } = send(upstream.url, chat());
  await until('it has ended', () => heard.ended);
  expect(heard.head).toMatchObject({ framing: 'length', length: heard.text.length });
});

test('an exchange that is aborted closes the connection and tells nothing more', async () => {
  const upstream = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const { heard, exchange } = send(upstream.url, chat());
  await until('it has begun', () => heard.text.includes('begun'));
  exchange.abort();
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
  expect([heard.ended, heard.failure]).toEqual([false, null]);
});

test('failures are told by their kind', async () => {
  const gone = await startFakeUpstream(() => {});
  await gone.stop();
  const dies = await engine((turn) => turn.reset());
  const silent = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const kinds = [
    send(gone.url, chat()),
    send(dies.url, chat()),
    send(silent.url, chat(), { connectMs: 2000, idleMs: 100 }),
  ];
  await until('all have failed', () => kinds.every(({ heard }) => heard.failure !== null));
  expect(kinds.map(({ heard }) => heard.failure?.kind)).toEqual(['refused', 'reset', 'idle-timeout']);
});
