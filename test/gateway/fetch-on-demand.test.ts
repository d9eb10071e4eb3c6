import { expect, test } from 'vitest';
import type { MemoryNeed } from '../../src/domain/on-demand.ts';
import { errorOf, movableClock, postChat, sha256, until } from './harness.ts';
import { stage } from './on-demand-stage.ts';

const GiB = 1024 ** 3;
function needOf(gib: number): MemoryNeed {
  return { host: gib * GiB, gpu: 0 };
}

/** Not here yet, so that nobody knows its size. */
const away = { toFetch: true, need: null, loadMs: null };

test('while a model is fetched, those that are loaded stay and others can be loaded; room is made once its size is known', async () => {
  const { gateway, asked, loaded, unloaded, fetched, state } = await stage({
    a: { need: needOf(2) },
    b: away,
    c: { need: needOf(3) },
  });
  const a = postChat(gateway.url, { model: 'a' });
  await until('a is asked for', () => asked.length === 1);
  await loaded('a');
  expect((await a).status).toBe(200);

  const b = postChat(gateway.url, { model: 'b' });
  await until('b is fetched', () => asked.includes('fetch b'));
  expect([await state('a'), await state('b')]).toEqual(['ready', 'fetching']);
  const c = postChat(gateway.url, { model: 'c' });
  await until('c is loaded beside it', () => asked.includes('load c'));
  await loaded('c');
  expect((await c).status).toBe(200);
  expect((await postChat(gateway.url, { model: 'a' })).status).toBe(200);
  expect(asked).toEqual(['load a', 'fetch b', 'load c']);

  // 2 + 3 + 3 of 6 GiB: one of the two others has to go.
  await fetched('b', { need: needOf(3) });
  await until('room is made', () => asked.length === 4);
  const gone = asked[3]?.split(' ')[1] ?? '';
  expect(asked[3]).toMatch(/^unload [ac]$/);
  await unloaded(gone);
  await until('b is loaded', () => asked.includes('load b'));
  await loaded('b');
  expect((await b).status).toBe(200);
  expect(asked.filter((one) => one === 'fetch b')).toHaveLength(1);
  expect(await gateway.metric('berth_gateway_model_loads_total', 'deployment="b",outcome="unloaded"')).toBe(
    0,
  );
});

test('who waits for a fetch in vain is told how long it probably goes on, up to a minute', async () => {
  const clock = movableClock();
  const { gateway, asked } = await stage(
    { a: { ...away, startTimeoutMs: 1 } },
    { config: { limits: { queueMs: 100 } }, clock },
  );
  async function told(): Promise<{ after: number; message: string; code: unknown }> {
    const reply = await postChat(gateway.url, { model: 'a' });
    expect(reply.status).toBe(503);
    const { message, code } = await errorOf(reply);
    return { after: Number(reply.headers.get('retry-after')), message, code };
  }
  const first = await told();
  expect(first).toMatchObject({
    code: 'model_loading',
    message: expect.stringContaining('fetched') as string,
  });
  // A minute, or a little less, so that not all come back at once.
  expect(first.after).toBeGreaterThanOrEqual(54);
  expect(first.after).toBeLessThanOrEqual(60);
  expect(asked).toEqual(['fetch a']);
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.5 });
  clock.advance(60_000);
  // 48 % a minute: 2 % more take 3 s, and then comes a load of which nobody knows how long it takes: 30 s.
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.98 });
  const { after } = await told();
  expect(after).toBeGreaterThan(30);
  expect(after).toBeLessThan(45);
});

test('a stream that waits hears how far its fetch is and how long it goes on', async () => {
  const clock = movableClock();
  const { gateway, asked, fetched, loaded } = await stage(
    { a: away },
    { config: { waitCommentsMs: 1 }, clock },
  );
  const reply = await postChat(gateway.url, { model: 'a', stream: true });
  const parts: string[] = [];
  async function read(): Promise<void> {
    const text = new TextDecoder();
    for await (const part of reply.body ?? []) parts.push(text.decode(part as Uint8Array, { stream: true }));
  }
  const whole = read();
  expect(asked).toEqual(['fetch a']);
  await until('it hears of the fetch', () => parts.join('').includes(': berth fetching\n\n'));
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.2 });
  clock.advance(30_000);
  await gateway.control({ do: 'load-progress', deployment: 'a', part: 0.4 });
  await until('it hears how far', () => /: berth fetching 40% left=9\ds\n\n/.test(parts.join('')));
  await fetched('a');
  await until('it hears of the load', () => parts.join('').includes(': berth loading\n\n'));
  await loaded('a');
  await whole;
  expect(parts.join('')).toContain('[DONE]');
});

test('what was fetched is loaded though the gateway was not told its size, and is not fetched again and again', async () => {
  const { gateway, asked, fetchEnded, loaded } = await stage({ a: away });
  const waits = postChat(gateway.url, { model: 'a' });
  await until('it is fetched', () => asked.length === 1);
  await fetchEnded('a');
  await until('it is asked for again', () => asked.length > 1);
  expect(asked).toEqual(['fetch a', 'load a']);
  await loaded('a');
  expect((await waits).status).toBe(200);
});

test('a fetch that fails is told with the time of the next try, which fetches again', async () => {
  const { gateway, asked, failed, state } = await stage({ a: away });
  const waits = postChat(gateway.url, { model: 'a' });
  await until('it is fetched', () => asked.length === 1);
  await failed('a', 'its model could not be fetched.');
  const reply = await waits;
  expect(reply.status).toBe(503);
  expect(reply.headers.get('retry-after')).toMatch(/^[12]$/);
  expect(await errorOf(reply)).toMatchObject({
    code: 'model_load_failed',
    message: expect.stringContaining('could not be fetched') as string,
  });
  expect(await state('a')).toBe('failed');
  const later = new AbortController();
  await until('it is tried again', () => {
    postChat(gateway.url, { model: 'a' }, { signal: later.signal }).catch(() => null);
    return asked.length > 1;
  });
  later.abort();
  expect(asked).toEqual(['fetch a', 'fetch a']);
});

test('one that would not fit however large it is, is not fetched, and one whose size shows that is told so', async () => {
  const { gateway, asked, fetched } = await stage({
    stated: { ...away, need: needOf(7) },
    found: away,
  });
  const first = await postChat(gateway.url, { model: 'stated' });
  expect([first.status, (await errorOf(first)).code]).toEqual([503, 'model_too_large']);
  const second = postChat(gateway.url, { model: 'found' });
  await until('it is fetched', () => asked.length === 1);
  await fetched('found', { need: needOf(7) });
  expect((await errorOf(await second)).code).toBe('model_too_large');
  expect(asked).toEqual(['fetch found']);
});

test('/unload gives up a fetch that nobody waits for; who waits for one is served first', async () => {
  const master = { authorization: 'Bearer master' };
  const { gateway, asked, fetched, loaded, state, unloaded } = await stage(
    { a: away, b: away },
    {
      config: {
        anonymous: true,
        keys: [{ id: 'master', name: 'master', sha256: sha256('master'), control: true }],
      },
    },
  );
  async function unload(name: string): Promise<unknown> {
    return await (await fetch(`${gateway.url}/unload/${name}`, { method: 'POST', headers: master })).json();
  }
  const leaving = new AbortController();
  const left = postChat(gateway.url, { model: 'a' }, { signal: leaving.signal }).catch(() => 'left');
  await until('it is fetched', () => asked.length === 1);
  leaving.abort();
  expect(await left).toBe('left');
  await until('nobody waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 0);
  const running = await (await fetch(`${gateway.url}/running`, { headers: master })).json();
  expect(running).toMatchObject({ running: [{ model: 'a', state: 'fetching' }] });
  expect(await unload('a')).toEqual({ unloading: ['a'] });
  expect(asked).toEqual(['fetch a', 'unload a']);
  await unloaded('a');
  expect(await state('a')).toBe('unloaded');

  const waits = postChat(gateway.url, { model: 'b' });
  await until('it is fetched', () => asked.includes('fetch b'));
  expect(await unload('b')).toEqual({ unloading: ['b'] });
  await fetched('b');
  await until('it is loaded', () => asked.includes('load b'));
  await loaded('b');
  expect((await waits).status).toBe(200);
  await until('it leaves', () => asked.includes('unload b'));
});
