import { expect, test } from 'vitest';
import { startFakeUpstream, wellBehaved } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import { configFor, engine, errorOf, front, postChat, turnedClock, until } from '../harness.ts';

test('rule 7: a refused connection is tried at another instance, the dead one is left alone and later probed', async () => {
  const dead = await startFakeUpstream(wellBehaved);
  await dead.stop();
  const alive = await engine(wellBehaved);
  const clock = turnedClock();
  const gateway = await front(configFor([{ url: dead.url }, { url: alive.url }]), { clock });
  for (let i = 0; i < 6; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(alive.seen.length).toBe(6);
  expect(await gateway.metric('berth_gateway_retries_total', 'reason="refused"')).toBe(1);
  // Open, or on a slow machine due for its probe already.
  expect(await gateway.metric('berth_gateway_breaker_state', 'upstream="u0"')).toBeGreaterThanOrEqual(1);
  const back = await startFakeUpstream(wellBehaved, dead.port);
  try {
    await until('it is probed', async () => {
      clock.advance(500);
      expect((await postChat(gateway.url)).status).toBe(200);
      return back.seen.length > 0;
    });
    expect(await gateway.metric('berth_gateway_breaker_state', 'upstream="u0"')).toBe(0);
  } finally {
    await back.stop();
  }
});

test.each([502, 503, 429])(
  'rule 7: a %i of one instance is tried at another that has room',
  async (status) => {
    const loading = await engine((turn) => turn.json(status, { error: { message: 'Loading model' } }));
    const ready = await engine(wellBehaved);
    const gateway = await front(configFor([{ url: loading.url }, { url: ready.url }]));
    for (let i = 0; i < 4; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
    expect(loading.seen.length).toBeGreaterThan(0);
    // An engine that answers is alive, whatever it answers.
    expect(await gateway.metric('berth_gateway_breaker_state')).toBe(0);
  },
);

test('rule 7: retries stop when they are more than a fifth of the requests', async () => {
  const loading = await engine((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const also = await engine((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const gateway = await front(configFor([{ url: loading.url }, { url: also.url }]));
  for (let i = 0; i < 30; i += 1) expect((await postChat(gateway.url)).status).toBe(503);
  expect(await gateway.metric('berth_gateway_retries_total')).toBeLessThanOrEqual(10 + 30 / 5);
});

test('rule 7: a model whose engines fail does not use up what another one may try again', async () => {
  const loading = await engine((turn) => turn.json(503, { error: { message: 'Loading model' } }));
  const ready = await engine(wellBehaved);
  const routes = ['m', 'n'].map((name) => ({ name, to: [{ deployment: name, weight: 1 }], aliasOf: null }));
  const shapes = [
    { url: loading.url, deployment: 'm' },
    { url: loading.url, deployment: 'm' },
    { url: loading.url, deployment: 'n' },
    { url: ready.url, deployment: 'n' },
  ];
  const gateway = await front(configFor(shapes, { routes }));
  for (let i = 0; i < 30; i += 1) expect((await postChat(gateway.url)).status).toBe(503);
  const before = ready.seen.length;
  for (let i = 0; i < 4; i += 1) expect((await postChat(gateway.url, { model: 'n' })).status).toBe(200);
  expect(ready.seen.length - before).toBe(4);
});

test.each([400, 404, 422, 500])(
  'rule 7: a %i of the engine is passed on as it is and not tried again',
  async (status) => {
    const body = { error: { message: 'no', code: status } };
    const engines = await Promise.all([0, 1].map(() => engine((turn) => turn.json(status, body))));
    const gateway = await front(configFor(engines.map(({ url }) => ({ url }))));
    const reply = await postChat(gateway.url, { stream: true });
    expect(reply.status).toBe(status);
    expect(reply.headers.get('x-berth-origin')).toBe('upstream');
    expect(await reply.json()).toEqual(body);
    expect(engines.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(1);
  },
);

test('rule 7: a request whose engine dies before a byte of its reply is moved to another, after a wait if need be', async () => {
  const held: Turn[] = [];
  const dies = await engine((turn) => void held.push(turn));
  const free = Promise.withResolvers<void>();
  const lives = await engine(async (turn) => {
    await free.promise;
    turn.json(200, { by: 'the other' });
  });
  const gateway = await front(
    configFor([
      { url: dies.url, slots: 1 },
      { url: lives.url, slots: 1 },
    ]),
  );
  const replies = [postChat(gateway.url), postChat(gateway.url)];
  await until('both engines work', () => held.length === 1 && lives.seen.length === 1);
  held[0]?.reset();
  await until(
    'the request waits for the other',
    async () => (await gateway.metric('berth_gateway_queue_depth')) === 1,
  );
  dies.setScript((turn) => turn.reset());
  free.resolve();
  for (const reply of await Promise.all(replies))
    expect([reply.status, await reply.json()]).toEqual([200, { by: 'the other' }]);
  expect(await gateway.metric('berth_gateway_retries_total', 'reason="reset"')).toBeGreaterThanOrEqual(1);
});

test('rule 7: a request that breaks every engine it meets is moved once, not to all of them', async () => {
  const engines = await Promise.all([0, 1, 2, 3].map(() => engine((turn) => turn.reset())));
  const gateway = await front(configFor(engines.map(({ url }) => ({ url }))));
  const reply = await postChat(gateway.url);
  expect(reply.status).toBe(502);
  expect((await errorOf(reply)).code).toBe('upstream_failed');
  expect(engines.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(2);
});

test('rule 7: what an engine answered with nonsense is not tried again: it may have computed for it', async () => {
  const engines = await Promise.all([0, 1].map(() => engine((turn) => turn.write('SSH-2.0\r\n\r\n'))));
  const gateway = await front(configFor(engines.map(({ url }) => ({ url }))));
  const reply = await postChat(gateway.url);
  expect([reply.status, (await errorOf(reply)).code]).toEqual([502, 'upstream_failed']);
  expect(engines.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(1);
});

test('rule 7: a stream that has begun is never tried again', async () => {
  const engines = await Promise.all(
    [0, 1].map(() =>
      engine((turn) => {
        turn.stream();
        turn.reset();
      }),
    ),
  );
  const gateway = await front(configFor(engines.map(({ url }) => ({ url }))));
  expect(await (await postChat(gateway.url, { stream: true })).text()).toContain('"code":"upstream_failed"');
  expect(engines.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(1);
});
