import { expect, test } from 'vitest';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { readTrace } from './read-trace.ts';

const options = { path: 't', format: 'auto', from: 0, blockTokens: 512 } as const;

function faultsOf(text: string, more: object = {}): readonly string[] {
  try {
    readTrace(text, { ...options, ...more });
  } catch (error) {
    if (error instanceof BerthError && error.code === 'TRACE_INVALID')
      return (error.facts as { faults: string[] }).faults;
    throw error;
  }
  return [];
}

test('a trace of Mooncake has its times in ms and names the blocks of each prompt', () => {
  const text = [
    '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}',
    '{"timestamp": 30535, "input_length": 600, "output_length": 1, "hash_ids": [46, 3000000000]}',
  ].join('\n');
  expect(readTrace(text, options)).toEqual({
    format: 'mooncake',
    requests: [
      { at: 0, prompt: 6955, output: 52, blocks: [46, 47] },
      { at: expect.closeTo(3.053, 9), prompt: 600, output: 1, blocks: [46, 3_000_000_000] },
    ],
    skipped: new Map(),
  });
});

test('a trace of Azure keeps its microseconds, in any order of columns and with any zone', () => {
  const old =
    'TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109\r\n';
  expect(readTrace(old, options).requests).toEqual([
    { at: 0, prompt: 374, output: 44, blocks: null },
    { at: expect.closeTo(4.314579, 6), prompt: 396, output: 109, blocks: null },
  ]);
  const newer =
    'GeneratedTokens,TIMESTAMP,ContextTokens\n5,2024-05-10 02:00:01.009930+02:00,8\n7,2024-05-10 00:00:00.009930+00:00,9\n';
  expect(readTrace(newer, options).requests.map(({ at, output }) => [Math.round(at * 1e6), output])).toEqual([
    [0, 7],
    [1_000_000, 5],
  ]);
});

test('a log of the gateway is sent again in the order in which requests came, without those that were none', () => {
  const line = { id: 'a', key: 'k', endpoint: 'chat', durationMs: 5, queueMs: null };
  const text = [
    { ...line, time: '2026-01-01T00:00:02.500Z', model: 'm', inputTokens: 10, outputTokens: 4 },
    { ...line, time: '2026-01-01T00:00:01.000Z', model: 'm', inputTokens: 20, outputTokens: 8 },
    { ...line, time: '2026-01-01T00:00:03.000Z', model: 'm', inputTokens: null, outputTokens: null },
    { ...line, time: '2026-01-01T00:00:04.000Z', model: 'other', inputTokens: 1, outputTokens: 1 },
  ]
    .map((each) => JSON.stringify(each))
    .join('\n');
  const trace = readTrace(text, { ...options, model: 'm' });
  expect(trace.requests.map(({ at, prompt }) => [at, prompt])).toEqual([
    [0, 20],
    [1.5, 10],
  ]);
  expect([...trace.skipped]).toEqual([
    ['without a count of prompt and output tokens', 1],
    ['of another model', 1],
  ]);
});

test('what comes before the offset is left out, and the rest begins at zero', () => {
  const text = [0, 900, 1500, 2500]
    .map((timestamp) => JSON.stringify({ timestamp, input_length: 8, output_length: 2 }))
    .join('\n');
  const { requests } = readTrace(text, { ...options, from: 1 });
  expect(requests.map(({ at }) => at)).toEqual([0.5, 1.5]);
});

test('every fault of a trace is named with its line', () => {
  const good = '{"timestamp": 1, "input_length": 8, "output_length": 2}';
  const faults = faultsOf(
    [
      good,
      '{"timestamp": -1, "input_length": "x", "output_length": 2}',
      '',
      'nonsense',
      '{"timestamp": 1, "input_length": 8, "output_length": 2, "hash_ids": [1, 2]}',
      good,
    ].join('\n'),
  );
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(['2', '4', '5']);
  expect(faults[0]).toMatch(/timestamp.*input_length/);
  expect(faults[2]).toContain('blockTokens');
  expect(
    faultsOf('TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,0,x\n2023-11-16 18:15:46,1,2,\n'),
  ).toEqual([
    '2: TIMESTAMP "yesterday" is no time; ContextTokens "0" is no number of tokens; GeneratedTokens "x" is no number of tokens',
  ]);
  expect(faultsOf('TIMESTAMP,ContextTokens\n1,2\n')).toEqual(['1: it has no column generatedtokens']);
  expect(faultsOf('2026-01-01 GET /v1/models 200\n')[0]).toContain('none of the traces');
  expect(faultsOf('')).toEqual(['1: it is empty']);
  expect(faultsOf(good, { from: 5 })[0]).toContain('no request');
});
