import { afterEach, beforeEach, expect, test } from 'vitest';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { randomModel, startReady } from '../../support/embedded.ts';
import { startScriptedServer, wordsOf } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
beforeEach(async () => {
  place = makePlace();
  server = await startScriptedServer();
});
afterEach(async () => {
  await place.close();
  await server.close();
});

const load = ['--max-requests', '6', '--streams', '2', '--warmup', '2', '--prompt-tokens', '20'];

test('embeddings have inputs and prompt tokens a second, and no figure of tokens that they never make', async () => {
  const run = await bench(place, [server.url, '--endpoint', 'kind=embeddings,inputs=3', ...load]);
  const [stage] = run.report.stages;
  expect(stage).toMatchObject({ ttft: null, ttfot: null, itl: null, tpot: null, outputTokens: null });
  expect(stage?.requests).toMatchObject({ ok: 6, failed: 0 });
  expect(stage?.overall?.inputsPerSecond).toBeCloseTo((stage?.overall?.requestsPerSecond ?? 0) * 3, 6);
  expect(stage?.overall).toMatchObject({ outputTokensPerSecond: null, totalTokensPerSecond: null });
  // Three texts of twenty words each, as the server counts them.
  expect(stage?.promptTokens).toMatchObject({ sum: 360, offTarget: 0, sources: ['usage'] });
  const sent = server.bodies('/v1/embeddings').map(({ input }) => input as string[]);
  const texts = sent.slice(-8).flat();
  expect(texts).toHaveLength(24);
  expect(new Set(texts).size).toBe(24);
  expect(texts.map((text) => wordsOf(text).length)).toEqual(texts.map(() => 20));

  const shown = await place.berth('report', 'last');
  expect(shown.stdout).toContain('inputs/s');
  expect(shown.stdout).toContain('embeddings (inputs 3)');
  expect(shown.stdout).not.toContain('TTFT p50');
  const page = await place.berth('report', 'last', '--format', 'html');
  expect(page.stdout).toContain('Inputs per second');
  expect(page.stdout).not.toContain('Output tokens per second');
});

test('rerank sends a query with documents and counts what was ranked', async () => {
  const run = await bench(place, [server.url, '--endpoint', 'kind=rerank,documents=4,queryWords=5', ...load]);
  expect(run.report.stages[0]).toMatchObject({ requests: { ok: 6 }, ttft: null, outputTokens: null });
  expect(run.records.map(({ inputs }) => inputs)).toEqual(run.records.map(() => 4));
  const sent = server.bodies('/v1/rerank').slice(-8);
  expect(sent.map(({ documents }) => documents?.length)).toEqual(sent.map(() => 4));
  expect(wordsOf(sent[0]?.query ?? '')).toHaveLength(5);
  expect(new Set(sent.flatMap(({ documents }) => documents ?? [])).size).toBe(32);
});

test('an answer that leaves out some of its texts is truncated', async () => {
  const whole = await startScriptedServer({ leaveOut: 1 });
  try {
    const ran = await place.berth(
      'bench',
      whole.url,
      '--endpoint',
      'kind=embeddings,inputs=3',
      '--json',
      ...load,
    );
    expect(ran.code).toBe(6);
    expect(ran.stderr + ran.stdout).toContain('truncated');
  } finally {
    await whole.close();
  }
});

test.each(['streamed', 'whole'])(
  'responses, %s, have the tokens, the reasoning and the cache of their usage',
  async (how) => {
    const reasoning = await startScriptedServer({ reasoning: 3 });
    try {
      const run = await bench(place, [
        reasoning.url,
        '--endpoint',
        'responses',
        '--output-tokens',
        '8',
        ...load,
        ...(how === 'whole' ? ['--no-stream'] : []),
      ]);
      const [stage] = run.report.stages;
      expect(stage?.outputTokens).toMatchObject({ mean: 8, offTarget: 0, sources: ['usage'] });
      expect(stage?.reasoningTokens).toMatchObject({ mean: 3 });
      expect(stage?.cachedTokens).toBe(12);
      const streamed = run.records.map(({ events, firstContent, firstToken }) => [
        events,
        (firstContent ?? 0) >= (firstToken ?? 0) && firstContent !== null,
      ]);
      expect(streamed).toEqual(run.records.map(() => (how === 'whole' ? [0, false] : [8, true])));
      expect(reasoning.bodies('/v1/responses').at(-1)).toMatchObject({ max_output_tokens: 8, store: false });
    } finally {
      await reasoning.close();
    }
  },
);

test('an endpoint or an objective that makes no sense is refused before anything is sent', async () => {
  for (const [words, text] of [
    [['--endpoint', 'poems'], 'there are: chat, completions, responses, embeddings, rerank'],
    [['--endpoint', 'kind=embeddings,inputs=0'], 'inputs'],
    [['--endpoint', 'embeddings', '--slo', 'ttft=500'], 'no TTFT'],
  ] as const) {
    const ran = await place.berth('bench', server.url, ...words);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(text)]);
  }
  expect(server.seen).toEqual([]);
});

test(
  "the embedded engine's embeddings are measured as any other server's, with exact lengths",
  { timeout: 120_000 },
  async () => {
    const model = await randomModel();
    const engine = await startReady(model.path, ['--embeddings']);
    try {
      const run = await bench(place, [
        `http://127.0.0.1:${engine.port}`,
        '--endpoint',
        'kind=embeddings,inputs=2',
        ...load,
      ]);
      const [stage] = run.report.stages;
      expect(stage?.requests).toMatchObject({ ok: 6, failed: 0 });
      expect(stage?.promptTokens).toMatchObject({ sum: 240, offTarget: 0, sources: ['usage'] });
      expect(stage?.overall?.inputsPerSecond).toBeGreaterThan(0);
    } finally {
      engine.kill('SIGTERM');
      await engine.exited;
      model.remove();
    }
  },
);
