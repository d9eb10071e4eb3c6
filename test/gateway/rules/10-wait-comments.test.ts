import { expect, test } from 'vitest';
import { chatEvent, doneEvent, wellBehaved, wholeStream } from '../fake-upstream.ts';
import type { Turn } from '../fake-upstream.ts';
import {
  chat,
  configFor,
  dial,
  engine,
  errorOf,
  front,
  movableClock,
  post,
  postChat,
  start,
  until,
} from '../harness.ts';
import { probed, probeFlags, runProgram } from '../gateway-process.ts';
import type { MovableClock, RunningGateway, Wire } from '../harness.ts';

const path = '/v1/chat/completions';
const never = 1_000_000_000;
// The clock leaps: none of these limits may be what ends a wait, however slow the machine.
const commented = { waitCommentsMs: 15_000, limits: { idleMs: never, queueMs: never, connectMs: never } };

function ask(gateway: RunningGateway, more: Record<string, unknown> = {}, to = path): Promise<Wire> {
  return dial(gateway.port, post(to, chat({ stream: true, ...more })));
}

/** Lets time pass until the comment is there. */
function comes(wire: Wire, clock: MovableClock, comment: string): Promise<void> {
  return until(`"${comment}" comes`, () => {
    clock.advance(1000);
    return wire.text().includes(comment);
  });
}

/** What came of an event stream in chunks, without the framing and without comments. */
function eventsOf(wire: Wire): string {
  const body = wire.text().slice(wire.text().indexOf('\r\n\r\n') + 4);
  return body.replaceAll(/[0-9a-f]+\r\n((?:.|\n)*?)\r\n/g, '$1').replaceAll(/: berth .*\n\n/g, '');
}

test('rule 10: a stream that waits hears where it stands, and then gets its reply whole', async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), {
    ...commented,
    clock,
    upstream: { slots: 1 },
  });
  const first = await ask(gateway);
  await until('the first is served', () => held.length === 1);
  const second = await ask(gateway);
  await until('the second waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  const third = await ask(gateway);
  await until('the third waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 2);
  await comes(first, clock, ': berth prefill\n\n');
  await comes(second, clock, ': berth queued pos=1\n\n');
  await comes(third, clock, ': berth queued pos=2\n\n');
  for (const wire of [first, second, third]) {
    await until('it is its turn', () => held.length === 1);
    wellBehaved(held.shift() as Turn);
    await until('it is whole', () => wire.text().endsWith('0\r\n\r\n'));
    wire.socket.destroy();
    expect(wire.text()).toMatch(/^HTTP\/1\.1 200 [^]*content-type: text\/event-stream/i);
    expect(wire.text().match(/HTTP\/1\.1 200/g)).toHaveLength(1);
    expect(eventsOf(wire)).toBe(wholeStream);
  }
});

test.each([
  [
    'an error of the engine',
    (turn: Turn) => turn.json(400, { error: { message: 'too long', code: 'context' } }),
    'context',
  ],
  ['a reply that is no stream', (turn: Turn) => turn.json(200, { choices: [] }), 'upstream_failed'],
  ['an engine that dies', (turn: Turn) => turn.reset(), 'upstream_failed'],
])('rule 10: after a comment %s comes as an event, and no [DONE]', async (_, end, code) => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), { ...commented, clock });
  const wire = await ask(gateway);
  await until('the engine has it', () => held.length === 1);
  await comes(wire, clock, ': berth prefill\n\n');
  end(held[0] as Turn);
  await until('it is whole', () => wire.text().endsWith('0\r\n\r\n'));
  wire.socket.destroy();
  const event = /^data: (.*)\n\n/.exec(eventsOf(wire));
  expect(JSON.parse(event?.[1] ?? '')).toMatchObject({ error: { code } });
  expect(wire.text()).not.toContain('[DONE]');
});

test("rule 10: an error after a comment has the shape of the client's API", async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { gateway } = await start((turn) => void held.push(turn), { ...commented, clock });
  const wire = await ask(gateway, { max_tokens: 5 }, '/v1/messages');
  await until('the engine has it', () => held.length === 1);
  await comes(wire, clock, ': berth prefill\n\n');
  held[0]?.reset();
  await until('it is whole', () => wire.text().endsWith('0\r\n\r\n'));
  wire.socket.destroy();
  expect(eventsOf(wire)).toMatch(/^event: error\ndata: \{"type":"error","error":\{"type":"api_error"/);
});

test('rule 10: an error of Responses after a comment is the event that its clients read, whoever says it', async () => {
  const faults: [(turn: Turn) => void, object][] = [
    [(turn) => turn.reset(), { code: 'upstream_failed', param: null }],
    [
      (turn) => turn.json(400, { error: { message: 'too long', code: 'x' } }),
      { code: 'x', message: 'too long' },
    ],
  ];
  for (const [fail, fields] of faults) {
    const clock = movableClock();
    const held: Turn[] = [];
    const { gateway } = await start((turn) => void held.push(turn), { ...commented, clock });
    const wire = await ask(gateway, {}, '/v1/responses');
    await until('the engine has it', () => held.length === 1);
    await comes(wire, clock, ': berth prefill\n\n');
    if (held[0]) fail(held[0]);
    await until('it is whole', () => wire.text().endsWith('0\r\n\r\n'));
    wire.socket.destroy();
    const data = /^event: error\ndata: (.*)\n\n$/.exec(eventsOf(wire))?.[1] ?? '';
    expect(JSON.parse(data)).toMatchObject({ type: 'error', ...fields, error: fields });
  }
});

test('rule 10: nothing is said to those who did not ask for a stream, and nothing at all unless switched on', async () => {
  const clock = movableClock();
  const held: Turn[] = [];
  const { upstream, gateway } = await start((turn) => void held.push(turn), { ...commented, clock });
  const plain = await dial(gateway.port, post(path, chat()));
  const stream = await ask(gateway);
  await until('both are there', () => held.length === 2);
  await comes(stream, clock, ': berth prefill');
  expect(plain.text()).toBe('');
  const silent = await front(configFor([{ url: upstream.url }], { limits: commented.limits }), { clock });
  const other = await ask(silent);
  await until('it is there', () => held.length === 3);
  const asked = stream.text().length;
  await until('time has passed', () => {
    clock.advance(1000);
    return stream.text().length > asked;
  });
  expect(other.text()).toBe('');
  for (const wire of [plain, stream, other]) wire.socket.destroy();
});

test('rule 10: a client that leaves between comments frees the engine', async () => {
  const clock = movableClock();
  const { upstream, gateway } = await start((turn) => turn.closed, { ...commented, clock });
  const wire = await ask(gateway);
  await until('the engine has it', () => upstream.seen.length === 1);
  await comes(wire, clock, ': berth prefill');
  wire.socket.destroy();
  await until('the engine was cut off', () => upstream.seen[0]?.cut === true);
  await until('nothing is under way', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  expect(upstream.seen).toHaveLength(1);
});

test('rule 10: a wait that is known to be too long is a 503 with the time to come back, not a comment', async () => {
  const held: Turn[] = [];
  const upstream = await engine((turn) => void held.push(turn));
  const gateway = await front(
    configFor([{ url: upstream.url, slots: 1 }], { waitCommentsMs: 15_000, limits: { queueMs: 1 } }),
  );
  const first = postChat(gateway.url, { stream: true });
  await until('it is served', () => held.length === 1);
  held[0]?.json(200, {});
  expect((await first).status).toBe(200);
  await until('its slot is free', async () => (await gateway.metric('berth_gateway_inflight')) === 0);
  const busy = await ask(gateway);
  await until('the slot is taken', () => held.length === 2);
  const refused = await postChat(gateway.url, { stream: true });
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect((await errorOf(refused)).code).toBe('wait_too_long');
  busy.socket.destroy();
});

test('rule 10: a stream that is answered in time carries no trace of it', async () => {
  const { gateway } = await start(
    (turn) => {
      turn.stream();
      turn.chunk(chatEvent('a') + doneEvent);
      turn.endChunks();
    },
    { waitCommentsMs: 15_000 },
  );
  const reply = await postChat(gateway.url, { stream: true });
  expect(reply.headers.get('x-berth-origin')).toBe('upstream');
  expect(await reply.text()).toBe(chatEvent('a') + doneEvent);
});

test('rule 10: of those who leave while they wait no comment goes on, and nothing of them is kept', async () => {
  const upstream = await engine(() => {});
  const config = configFor([{ url: upstream.url, slots: 4 }], {
    waitCommentsMs: 1,
    limits: { idleMs: never, queue: 1000, queueMs: never },
  });
  const program = await runProgram(config, [], probeFlags);
  const port = Number(new URL(await program.url()).port);
  async function come(count: number): Promise<void> {
    let left = count;
    async function visit(): Promise<void> {
      while ((left -= 1) >= 0) {
        const wire = await dial(port, post(path, chat({ stream: true })));
        await until('it is told that it waits', () => wire.text().includes(': berth '));
        wire.socket.resetAndDestroy();
      }
    }
    await Promise.all(Array.from({ length: 50 }, visit));
    await until('nobody is there', async () => (await probed(program)).sockets === 0);
  }
  await come(300);
  const before = (await probed(program)).heap;
  await come(1000);
  expect((await probed(program)).heap).toBeLessThan(before * 1.1);
}, 120_000);
