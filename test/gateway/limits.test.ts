import { expect, test } from 'vitest';
import type { Quotas } from '../../src/domain/gateway-config.ts';
import type { KeyLimits } from '../../src/domain/key-limits.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { chatEvent, wellBehaved } from './fake-upstream.ts';
import type { Script, Turn } from './fake-upstream.ts';
import { configFor, dial, engine, errorOf, front, post, postChat, sha256, until } from './harness.ts';
import { chat } from './harness.ts';
import type { RunningGateway } from './harness.ts';

/** Rules 12 and 13: what a caller may take, by its key and by the model, on a clock that the test turns. */

const none: Quotas = { eachKey: {}, models: {}, prices: {}, usageFile: null, sharedUrlFile: null };

interface Limited {
  readonly gateway: RunningGateway;
  readonly clock: { ms: number };
  readonly ask: (key: string, more?: Record<string, unknown>) => Promise<Response>;
}

/** A gateway with the keys "a" and "b", each with these limits. */
async function limited(script: Script, limits: KeyLimits, quotas: Partial<Quotas> = {}): Promise<Limited> {
  const upstream = await engine(script);
  const clock = { ms: Date.UTC(2026, 5, 15, 12) };
  const world = localWorld();
  const gateway = await front(
    configFor([{ url: upstream.url, slots: 8 }], {
      anonymous: false,
      keys: ['a', 'b'].map((id) => ({ id, name: `laptop ${id}`, sha256: sha256(id), limits })),
      quotas: { ...none, ...quotas },
    }),
    { ...world, clock: { ...world.clock, wall: () => new Date(clock.ms) } },
  );
  return {
    gateway,
    clock,
    ask: (key, more) => postChat(gateway.url, more, { headers: { authorization: `Bearer ${key}` } }),
  };
}

function rates(reply: Response): Record<string, string> {
  return Object.fromEntries([...reply.headers].filter(([name]) => name.startsWith('x-ratelimit-')));
}

test('rule 12: a good reply says what its key may still take', async () => {
  const { ask } = await limited(wellBehaved, { rpm: 3, tpm: 1000 });
  const reply = await ask('a', { max_tokens: 50 });
  expect(reply.status).toBe(200);
  const prompt = Math.ceil(chat({ max_tokens: 50 }).length / 4);
  expect(rates(reply)).toEqual({
    'x-ratelimit-limit-requests': '3',
    'x-ratelimit-remaining-requests': '2',
    'x-ratelimit-reset-requests': '60s',
    'x-ratelimit-limit-tokens': '1000',
    'x-ratelimit-remaining-tokens': String(950 - prompt),
    'x-ratelimit-reset-tokens': '60s',
  });
});

test('rule 12: what is too large for what is left is told how it can be made smaller', async () => {
  const { ask, gateway } = await limited(wellBehaved, { tpm: 100 });
  await (await ask('a', { max_tokens: 10 })).text();
  const tooLong = await ask('a', { max_tokens: 500 });
  expect((await errorOf(tooLong)).message).toContain('A smaller max_tokens');
  const reply = await fetch(`${gateway.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: 'Bearer a', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input: 'word '.repeat(200) }),
  });
  expect(reply.status).toBe(429);
  const { message } = await errorOf(reply);
  expect(message).toMatch(
    /has \d+ left of its limit of 100 tokens per minute, and this request may take \d+\. Less input/,
  );
  expect(message).not.toContain('max_tokens');
});

test('rule 12: who asks too often is told to slow down, until when, and nobody else is', async () => {
  const { ask, clock, gateway } = await limited(wellBehaved, { rpm: 1 });
  expect((await ask('a')).status).toBe(200);
  const refused = await ask('a');
  expect(refused.status).toBe(429);
  expect(rates(refused)).toMatchObject({ 'x-ratelimit-remaining-requests': '0' });
  const wait = Number(refused.headers.get('retry-after'));
  expect(wait).toBeGreaterThanOrEqual(54);
  expect(wait).toBeLessThanOrEqual(60);
  expect(await errorOf(refused)).toMatchObject({
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: 'The key "laptop a" has reached its limit of 1 requests per minute.',
  });
  expect(await gateway.metric('berth_gateway_limit_rejects_total', 'scope="key",reason="requests"')).toBe(1);
  expect((await ask('b')).status).toBe(200);
  // Two minutes, by the window that slides; one that is told the longest time there is may be told the rest then, less a tenth of each.
  clock.ms += wait * 1000;
  const again = await ask('a');
  expect(again.status).toBe(429);
  clock.ms += Number(again.headers.get('retry-after')) * 1000 + 12_000;
  expect((await ask('a')).status).toBe(200);
});

test('rule 12: a clock that ran ahead and is set right locks nobody out, and forgets nothing of the day', async () => {
  const { ask, clock, gateway } = await limited(wellBehaved, { rpm: 2, budget: { day: { tokens: 1000 } } });
  function left(): Promise<number> {
    return gateway.metric('berth_gateway_budget_remaining', 'name="a",window="day"');
  }
  await (await ask('a')).text();
  const cost = 1000 - (await left());
  const day = 86_400_000;
  clock.ms += day;
  for (let i = 0; i < 2; i += 1) expect((await ask('a')).status).toBe(200);
  clock.ms -= day;
  expect((await ask('a')).status).toBe(429);
  clock.ms += 121_000;
  expect((await ask('a')).status).toBe(200);
  expect(await left()).toBe(1000 - 4 * cost);
});

test('rule 13: tokens are reserved before, and settled with what the engine counted after', async () => {
  const held: Turn[] = [];
  const { ask } = await limited((turn) => void held.push(turn), { tpm: 1000 });
  const served = ask('a', { max_tokens: 900 });
  await until('the request is there', () => held.length === 1);
  const refused = await ask('a', { max_tokens: 900 });
  expect(refused.status).toBe(429);
  expect((await errorOf(refused)).message).toContain('1000 tokens per minute');
  if (held[0]) wellBehaved(held[0]);
  await (await served).text();
  const next = ask('a', { max_tokens: 900 });
  await until('the next is there', () => held.length === 2);
  if (held[1]) wellBehaved(held[1]);
  expect((await next).status).toBe(200);
});

test.each([
  ['several bounds, of which engines take one or the other', { max_completion_tokens: 1, max_tokens: 900 }],
  ['a bound in the words of llama.cpp', { max_tokens: 1, n_predict: 900 }],
  ['several answers', { max_tokens: 30, n: 30 }],
  ['several answers to choose from', { max_tokens: 30, best_of: 30 }],
  ['a list of prompts', { max_tokens: 300, prompt: ['a', 'b', 'c'] }],
  ['a list of prompts as tokens', { max_tokens: 300, prompt: [[1, 2], [3], [4]] }],
  ['a list of prompts as objects', { max_tokens: 300, prompt: [{ prompt_string: 'a' }, 'b', [4]] }],
])('rule 13: as much is reserved as may be written: %s', async (_, more) => {
  const held: Turn[] = [];
  const { ask, gateway } = await limited((turn) => void held.push(turn), { tpm: 1000 });
  const served = ask('a', more);
  await until('the request is there', () => held.length === 1);
  expect((await ask('a', { max_tokens: 100 })).status).toBe(429);
  const headers = { authorization: 'Bearer b', 'content-type': 'application/json' };
  const path = '/upstream/m/v1/chat/completions';
  const passed = fetch(gateway.url + path, { method: 'POST', headers, body: chat(more) });
  await until('the one that is passed on is there', () => held.length === 2);
  expect((await ask('b', { max_tokens: 100 })).status).toBe(429);
  for (const turn of held) wellBehaved(turn);
  expect([(await served).status, (await passed).status]).toEqual([200, 200]);
});

const picture = 'iVBORw0KGgo/'.repeat(10_000);
const attached: Record<string, { path: string; part: unknown }> = {
  "Anthropic's": {
    path: '/v1/messages',
    part: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: picture } },
  },
  "OpenAI's sounds": {
    path: '/v1/chat/completions',
    part: { type: 'input_audio', input_audio: { format: 'wav', data: picture } },
  },
  "OpenAI's images": {
    path: '/v1/chat/completions',
    part: { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
  },
};

test.each(Object.keys(attached))(
  'rule 13: an image or a sound counts by the piece, not by its length: %s',
  async (name) => {
    const { path, part } = attached[name] ?? { path: '', part: null };
    const { gateway, ask } = await limited(wellBehaved, { tpm: 5000 });
    const headers = { authorization: 'Bearer a', 'content-type': 'application/json' };
    async function send(...content: unknown[]): Promise<Response> {
      const body = JSON.stringify({ model: 'm', max_tokens: 10, messages: [{ role: 'user', content }] });
      return fetch(gateway.url + path, { method: 'POST', headers, body });
    }
    const words = { type: 'text', text: 'What is this?' };
    // What takes all of a minute waits for one in which nothing was asked for.
    await (await ask('a')).text();
    expect((await send(part, words)).status).toBe(200);
    expect((await send(words, part, part, part)).status).toBe(200);
    const tooMany = await send(part, part, part, part, part);
    expect([tooMany.status, tooMany.headers.get('x-berth-origin')]).toEqual([429, 'gateway']);
    const text = { type: 'text', source: { type: 'text', data: 'a word or two '.repeat(10_000) } };
    expect((await send(text)).status).toBe(429);
  },
);

test('a body that goes to an engine as it is is refused where limits could not read how much it asks for', async () => {
  const { ask, gateway } = await limited(wellBehaved, { tpm: 1000 });
  const headers = { authorization: 'Bearer a', 'content-type': 'application/json' };
  async function send(body: string, more: Record<string, string> = {}): Promise<number> {
    const all = { method: 'POST', headers: { ...headers, ...more }, body };
    return (await fetch(`${gateway.url}/upstream/m/v1/chat/completions`, all)).status;
  }
  expect(await send('{"max_tokens": 900, "max_tokens": 1}')).toBe(400);
  expect(await send(chat(), { 'content-encoding': 'gzip' })).toBe(415);
  // What engines make of it is theirs to say.
  expect(await send('{"stream": 0, "max_tokens": 1}')).toBe(200);
  expect((await ask('a', { max_tokens: 1, N: 5, Prompt: 'a' })).status).toBe(200);
});

test('rule 13: an answer is reserved for also where the model stands in the path', async () => {
  const held: Turn[] = [];
  const { gateway, ask } = await limited((turn) => void held.push(turn), { tpm: 300 });
  const headers = { authorization: 'Bearer a', 'content-type': 'application/json' };
  const served = fetch(`${gateway.url}/upstream/m/v1/chat/completions`, {
    method: 'POST',
    headers,
    body: chat(),
  });
  await until('the request is there', () => held.length === 1);
  // The usual answer of 256 tokens is reserved for the first.
  expect((await ask('a', { max_tokens: 100 })).status).toBe(429);
  if (held[0]) wellBehaved(held[0]);
  expect((await served).status).toBe(200);
});

test.each([true, false])(
  'rule 13: who leaves before the first byte (stream: %s) has the prompt charged that the engine had taken',
  async (stream) => {
    const held: Turn[] = [];
    const { ask, gateway } = await limited((turn) => void held.push(turn), { tpm: 1000 });
    const leave = new AbortController();
    const long = { messages: [{ role: 'user', content: 'x'.repeat(2800) }], max_tokens: 100, stream };
    const headers = { authorization: 'Bearer a' };
    const left = postChat(gateway.url, long, { headers, signal: leave.signal }).catch(() => null);
    await until('the engine has it', () => held.length === 1);
    leave.abort();
    await left;
    await until(
      'it is counted',
      async () => (await gateway.metric('berth_gateway_requests_total', 'status="499"')) === 1,
    );
    const prompt = await gateway.metric('berth_gateway_tokens_total', 'source="estimate"');
    expect(prompt).toBeGreaterThan(700);
    const refused = await ask('a', long);
    expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'rate_limit_exceeded']);
    // The answer, of which nothing was made, is not charged.
    const small = ask('a', { max_tokens: 1000 - prompt - 50 });
    await until('a small one is served', () => held.length === 2);
    if (held[1]) wellBehaved(held[1]);
    expect((await small).status).toBe(200);
  },
);

test('rule 13: who leaves before an engine had it, or is refused by one, has nothing charged', async () => {
  const held: Turn[] = [];
  const { ask, gateway } = await limited((turn) => void held.push(turn), { tpm: 1000 });
  const long = { messages: [{ role: 'user', content: 'x'.repeat(2800) }], max_tokens: 100 };
  const refused = ask('a', long);
  await until('the engine has it', () => held.length === 1);
  held.shift()?.json(400, { error: { message: 'no' } });
  expect((await refused).status).toBe(400);
  const busy = Array.from({ length: 8 }, () => ask('b', { max_tokens: 10 }));
  await until('all slots are taken', () => held.length === 8);
  const leave = new AbortController();
  const headers = { authorization: 'Bearer a' };
  const left = postChat(gateway.url, long, { headers, signal: leave.signal }).catch(() => null);
  await until('it waits', async () => (await gateway.metric('berth_gateway_queue_depth')) === 1);
  leave.abort();
  await left;
  await until('it has left', async () => (await gateway.metric('berth_gateway_queue_depth')) === 0);
  for (const turn of held.splice(0)) wellBehaved(turn);
  for (const reply of busy) expect((await reply).status).toBe(200);
  const served = ask('a', long);
  await until('the next is there', () => held.length === 1);
  if (held[0]) wellBehaved(held[0]);
  expect((await served).status).toBe(200);
});

test('rule 13: an admitted stream is never cut, however much it takes', async () => {
  const { ask } = await limited(
    (turn) => {
      turn.stream();
      for (let i = 0; i < 50; i += 1) turn.chunk(chatEvent(`${i} `));
      turn.chunk(`data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5000}}\n\n`);
      turn.chunk('data: [DONE]\n\n');
      turn.endChunks();
    },
    { tpm: 500 },
  );
  const text = await (await ask('a', { stream: true, max_tokens: 10 })).text();
  expect(text).toContain('"49 "');
  expect(text).toContain('[DONE]');
  const after = await ask('a', { max_tokens: 10 });
  expect(after.status).toBe(429);
});

test('rule 2: of a stream whose client has left, what it had got is billed', async () => {
  const { ask, gateway } = await limited(
    (turn) => {
      turn.stream();
      for (let i = 0; i < 10; i += 1) turn.chunk(chatEvent('x'));
    },
    { tpm: 100_000 },
  );
  const body = chat({ stream: true, max_tokens: 50_000 });
  const wire = await dial(gateway.port, post('/v1/chat/completions', body, 'Authorization: Bearer a\r\n'));
  await until('the events came', () => wire.text().split('"x"').length === 11);
  wire.socket.destroy();
  await until(
    'it was counted',
    async () => (await gateway.metric('berth_gateway_requests_total', 'status="499"')) === 1,
  );
  const prompt = Math.ceil(body.length / 4);
  const own = Math.ceil(chat({ max_tokens: 1 }).length / 4) + 1;
  const after = await ask('a', { max_tokens: 1 });
  expect(rates(after)['x-ratelimit-remaining-tokens']).toBe(String(100_000 - prompt - 10 - own));
  await after.body?.cancel();
});

test('rule 12: a spent budget is a 429 without a time to come back, that clients do not try again', async () => {
  const { ask, clock } = await limited(wellBehaved, { budget: { day: { tokens: 10 } } });
  expect((await ask('a')).status).toBe(200);
  const refused = await ask('a');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBeNull();
  expect(refused.headers.get('x-should-retry')).toBe('false');
  expect((await errorOf(refused)).code).toBe('insufficient_quota');
  clock.ms += 86_400_000;
  expect((await ask('a')).status).toBe(200);
});

test('what never reached an engine takes nothing of the limits', async () => {
  const { ask, gateway } = await limited((turn) => turn.reset(), { rpm: 1, tpm: 100_000, concurrent: 1 });
  for (let i = 0; i < 3; i += 1) expect([502, 503]).toContain((await ask('a')).status);
  expect(await gateway.metric('berth_gateway_limit_rejects_total')).toBe(0);
});

test('requests at once are bounded by key and by model', async () => {
  const held: Turn[] = [];
  const { ask } = await limited(
    (turn) => void held.push(turn),
    { concurrent: 1 },
    { models: { m: { concurrent: 2 } } },
  );
  const replies = [ask('a'), ask('b')];
  await until('both are there', () => held.length === 2);
  const [byKey, byModel] = [await ask('a'), await ask('b')];
  expect([byKey.status, byModel.status]).toEqual([429, 429]);
  for (const turn of held) turn.json(200, {});
  await Promise.all(replies);
});

test.each([1, 3, 40])(
  'a clock that leaps ahead by %i days and back forgets nothing that a budget has counted',
  async (days) => {
    const dayMs = 86_400_000;
    const budget = { day: { tokens: 15 }, month: { tokens: 25 } };
    const { ask, clock } = await limited(wellBehaved, { budget });
    expect((await ask('a')).status).toBe(200);
    clock.ms += days * dayMs;
    // What is used while it is ahead counts as well when it has been set right.
    expect((await ask('b')).status).toBe(200);
    expect((await ask('a')).status).toBe(200);
    clock.ms -= days * dayMs;
    expect((await ask('b')).status).toBe(200);
    const refused = await ask('a');
    expect([refused.status, (await errorOf(refused)).code]).toEqual([429, 'insufficient_quota']);
    clock.ms += dayMs;
    expect((await ask('b')).status).toBe(200);
  },
);
