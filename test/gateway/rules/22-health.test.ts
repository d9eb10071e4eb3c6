import { expect, test } from 'vitest';
import { startFakeUpstream, wellBehaved } from '../fake-upstream.ts';
import type { FakeUpstream, Script, Turn } from '../fake-upstream.ts';
import { configFor, engine, front, movableClock, postChat, turnedClock, until } from '../harness.ts';
import type { MovableClock, RunningGateway } from '../harness.ts';

/** Answers /health as told, and everything else as `serve` does. */
function withHealth(health: () => number, serve: Script = wellBehaved): Script {
  return (turn: Turn) => {
    if (turn.request.path !== '/health') return serve(turn);
    turn.json(health(), {});
    return undefined;
  };
}

function asked({ seen }: FakeUpstream): number {
  return seen.filter(({ path }) => path === '/health').length;
}

function served({ seen }: FakeUpstream): number {
  return seen.filter(({ path }) => path !== '/health').length;
}

function behind(engines: readonly FakeUpstream[], clock: MovableClock): Promise<RunningGateway> {
  return front(configFor(engines.map(({ url }) => ({ url, healthPath: '/health' }))), { clock });
}

function breaker(gateway: RunningGateway, upstream: string): Promise<number> {
  return gateway.metric('berth_gateway_breaker_state', `upstream="${upstream}"`);
}

test('rule 22: every engine with a health path is asked at once and then by the clock', async () => {
  const clock = movableClock();
  const one = await engine(withHealth(() => 200));
  const gateway = await behind([one], clock);
  for (let times = 1; times <= 3; times += 1) {
    await until('it is asked', () => asked(one) >= times);
    clock.advance(5000);
  }
  expect(await breaker(gateway, 'u0')).toBe(0);
});

test('rule 22: an engine that dies between requests is left out before a request finds out', async () => {
  const clock = movableClock();
  const [dies, lives] = [await startFakeUpstream(withHealth(() => 200)), await engine(withHealth(() => 200))];
  const gateway = await behind([dies, lives], clock);
  await until('both are asked', () => asked(dies) > 0 && asked(lives) > 0);
  await dies.stop();
  clock.advance(5000);
  await until('it is ejected', async () => (await breaker(gateway, 'u0')) === 2);
  for (let i = 0; i < 4; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(await gateway.metric('berth_gateway_retries_total')).toBe(0);
});

test('rule 22: an ejected engine gets a request only when its health path answers, and then one first', async () => {
  const clock = movableClock();
  let health = 500;
  const held: Turn[] = [];
  const [sick, well] = await Promise.all([
    engine(
      withHealth(
        () => health,
        (turn) => void held.push(turn),
      ),
    ),
    engine(withHealth(() => 200)),
  ]);
  const gateway = await behind([sick, well], clock);
  // Three bad answers in a row; one may be chance.
  for (let times = 1; times <= 3; times += 1) {
    expect(await breaker(gateway, 'u0')).toBe(0);
    await until('it is asked', () => asked(sick) === times);
    clock.advance(5000);
  }
  await until('it is ejected', async () => (await breaker(gateway, 'u0')) === 2);
  for (let i = 0; i < 4; i += 1) await (await postChat(gateway.url)).text();
  expect(held).toHaveLength(0);
  health = 200;
  clock.advance(60_000);
  await until('it is half open', async () => (await breaker(gateway, 'u0')) === 1);
  const trial = postChat(gateway.url);
  await until('one request tries it', () => held.length === 1);
  for (let i = 0; i < 4; i += 1) await (await postChat(gateway.url)).text();
  expect(held).toHaveLength(1);
  held[0]?.json(200, {});
  expect((await trial).status).toBe(200);
  await until('it is back', async () => (await breaker(gateway, 'u0')) === 0);
});

test('rule 22: an engine that is loading has not failed, and gets no request while another serves', async () => {
  const clock = movableClock();
  let health = 503;
  const [loads, serves] = await Promise.all([
    engine(withHealth(() => health)),
    engine(withHealth(() => 200)),
  ]);
  const gateway = await behind([loads, serves], clock);
  for (let times = 1; times <= 5; times += 1) {
    await until('both are asked', () => asked(loads) >= times && asked(serves) >= times);
    clock.advance(5000);
  }
  for (let i = 0; i < 6; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect([served(loads), served(serves)]).toEqual([0, 6]);
  expect(await breaker(gateway, 'u0')).toBe(0);
  health = 200;
  clock.advance(5000);
  await until('it takes its share', async () => {
    await (await postChat(gateway.url)).text();
    return served(loads) > 0;
  });
});

test('rule 22: no more than half of the engines are ejected', async () => {
  const clock = movableClock();
  const engines = await Promise.all([0, 1, 2, 3].map(() => engine(withHealth(() => 500))));
  const gateway = await behind(engines, clock);
  for (let times = 1; times <= 4; times += 1) {
    await until('all are asked', () => engines.every((one) => asked(one) === times));
    clock.advance(5000);
  }
  await until('all are asked once more', () => engines.every((one) => asked(one) > 4));
  for (let i = 0; i < 8; i += 1) expect((await postChat(gateway.url)).status).toBe(200);
  expect(engines.filter((one) => served(one) > 0)).toHaveLength(2);
});

test('rule 22: the only engine there is shows when it is away, and takes requests all the same', async () => {
  const clock = turnedClock();
  const dies = await startFakeUpstream(wellBehaved);
  const gateway = await front(configFor([{ url: dies.url }]), { clock });
  expect((await postChat(gateway.url)).status).toBe(200);
  await dies.stop();
  expect((await postChat(gateway.url)).status).toBe(503);
  expect(await breaker(gateway, 'u0')).toBe(2);
  clock.advance(60_000);
  await until('it is to be tried again', async () => (await breaker(gateway, 'u0')) === 1);
  const back = await engine(wellBehaved, dies.port);
  expect((await postChat(gateway.url)).status).toBe(200);
  expect([served(back), await breaker(gateway, 'u0')]).toEqual([1, 0]);
});

test('rule 22: when all engines are away the last hope is tried', async () => {
  const clock = movableClock();
  const engines = await Promise.all([0, 1, 2, 3].map(() => startFakeUpstream(withHealth(() => 200))));
  const gateway = await behind(engines, clock);
  await until('all are asked', () => engines.every((one) => asked(one) > 0));
  await Promise.all(engines.map((one) => one.stop()));
  for (let round = 0; round < 3; round += 1) {
    clock.advance(5000);
    await postChat(gateway.url);
  }
  await until('none of them counts as healthy', async () => {
    const states = await Promise.all(['u0', 'u1', 'u2', 'u3'].map((id) => breaker(gateway, id)));
    return states.every((state) => state === 2);
  });
  const back = await startFakeUpstream(wellBehaved, engines[3]?.port);
  try {
    await until(
      'the first that lives again serves',
      async () => (await postChat(gateway.url)).status === 200,
    );
    expect(served(back)).toBeGreaterThan(0);
  } finally {
    await back.stop();
  }
});

test('rule 22: a run of replies with 5xx ejects an engine, for as long as another serves', async () => {
  const [errs, well] = await Promise.all([
    engine((turn) => turn.json(500, { error: { message: 'out of memory' } })),
    engine(wellBehaved),
  ]);
  const gateway = await front(configFor([{ url: errs.url }, { url: well.url }]), { clock: turnedClock() });
  for (let i = 0; i < 20; i += 1) await (await postChat(gateway.url)).text();
  expect(errs.seen).toHaveLength(5);
  expect(await breaker(gateway, 'u0')).toBe(2);
});

test('rule 22: a health path that hangs does not hold requests up', async () => {
  const clock = movableClock();
  const one = await engine((turn) => (turn.request.path === '/health' ? turn.closed : wellBehaved(turn)));
  const gateway = await behind([one], clock);
  await until('it is asked', () => asked(one) >= 1);
  expect((await postChat(gateway.url)).status).toBe(200);
  clock.advance(6000);
  await until('the question is given up and put again', () => asked(one) >= 2);
  expect((await postChat(gateway.url)).status).toBe(200);
});
