import { expect, test } from 'vitest';
import { unobserved } from '../../src/domain/observe-config.ts';
import { counters } from '../../src/stats/vectors.ts';
import { prometheusText } from '../../src/stats/prometheus.ts';
import { chatEvent, usage, wellBehaved } from './fake-upstream.ts';
import { configFor, engine, front, postChat, sha256, start } from './harness.ts';

async function textOf(url: string): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

/** Every name that dashboards may rely on. */
const names = [
  'requests_total',
  'request_duration_seconds_bucket',
  'ttft_seconds_bucket',
  'itl_seconds_bucket',
  'tpot_seconds_bucket',
  'queue_wait_seconds_bucket',
  'queue_depth',
  'inflight',
  'slots',
  'limit_rejects_total',
  'retries_total',
  'upstream_aborts_total',
  'breaker_state',
  'tokens_total',
  'key_requests_total',
  'key_tokens_total',
];

test('every documented series is there once there was something to count', async () => {
  const dead = await engine(wellBehaved);
  const good = await engine((turn) => {
    turn.stream();
    turn.chunk(chatEvent('a'));
    setTimeout(() => {
      turn.chunk(chatEvent('b'));
      turn.chunk(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
      turn.chunk('data: [DONE]\n\n');
      turn.endChunks();
    }, 5);
  });
  await dead.stop();
  const shapes = [
    { url: dead.url, slots: 1 },
    { url: good.url, slots: 1 },
  ];
  const gateway = await front(configFor(shapes, { limits: { queue: 0 } }));
  for (let i = 0; i < 3; i += 1) await (await postChat(gateway.url, { stream: true })).text();
  const both = await Promise.all(Array.from({ length: 6 }, () => postChat(gateway.url, { stream: true })));
  await both[0]?.body?.cancel();
  await Promise.all(both.slice(1).map((reply) => reply.text()));
  const text = await textOf(gateway.url);
  const missing = names.filter((name) => !text.includes(`\nberth_gateway_${name}{`));
  expect(missing.filter((name) => name !== 'upstream_aborts_total')).toEqual([]);
});

test('names of the GenAI conventions are a matter of one switch, and are turned on without a restart', async () => {
  const upstream = await engine(wellBehaved);
  const shape = [{ url: upstream.url }];
  const gateway = await front(configFor(shape));
  await (await postChat(gateway.url, { stream: true })).text();
  expect(await textOf(gateway.url)).not.toContain('gen_ai_');
  await gateway.reload(configFor(shape, { observe: { ...unobserved, genAi: true } }));
  const text = await textOf(gateway.url);
  expect(text).toContain('gen_ai_operation_name="chat"');
  for (const name of [
    'gen_ai_server_request_duration_seconds',
    'gen_ai_server_time_to_first_token_seconds',
    'gen_ai_server_time_per_output_token_seconds',
    'gen_ai_client_token_usage',
  ])
    expect(text).toContain(`# TYPE ${name} histogram`);
});

test('requests and tokens are counted for the key that asked', async () => {
  const { gateway } = await start(wellBehaved, {
    anonymous: false,
    keys: ['laptop', 'phone'].map((id) => ({ id, name: id, sha256: sha256(`sk-${id}`) })),
  });
  for (const id of ['laptop', 'phone', 'phone'])
    await (await postChat(gateway.url, {}, { headers: { authorization: `Bearer sk-${id}` } })).text();
  function count(name: string, labels: string): Promise<number> {
    return gateway.metric(`berth_gateway_key_${name}`, labels);
  }
  expect(await count('requests_total', 'key="phone"')).toBe(2);
  expect(await count('tokens_total', 'key="laptop",direction="input"')).toBe(usage.prompt_tokens);
  expect(await count('tokens_total', 'key="phone",direction="output"')).toBe(2 * usage.completion_tokens);
});

test('past their cap, new label values are counted together as "other"', () => {
  const vector = counters({ name: 'asked_total', help: 'Asked.', labels: ['key'], maxSeries: 3 });
  for (let key = 0; key < 1000; key += 1) vector.at(`k${key}`).value += 1;
  const lines = prometheusText([vector.family()])
    .split('\n')
    .filter((line) => line.startsWith('asked'));
  expect(lines).toEqual([
    'asked_total{key="k0"} 1',
    'asked_total{key="k1"} 1',
    'asked_total{key="k2"} 1',
    'asked_total{key="other"} 997',
  ]);
});
