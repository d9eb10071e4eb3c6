import { expect, test } from 'vitest';
import { z } from 'zod';
import { benchmarksSchema } from './benchmark.ts';

const profiles = [
  { options: z.strictObject({ kind: z.literal('one') }) },
  { options: z.strictObject({ kind: z.literal('many'), streams: z.array(z.int()) }) },
] as const;
const datasets = [
  { options: z.strictObject({ kind: z.literal('made').default('made'), prompt: z.int() }) },
  { options: z.strictObject({ kind: z.literal('file'), file: z.string() }) },
] as const;
const endpoints = [{ kind: 'chat', options: z.strictObject({ kind: z.literal('chat') }) }] as const;
const schema = benchmarksSchema(profiles, datasets, endpoints);

test('the fleet file names a benchmark with the profiles and datasets of the registries', () => {
  const parsed = schema.parse({
    quick: { of: 'toy', profile: { kind: 'many', streams: [1, 2] }, data: { prompt: 16 }, warmup: 2 },
  });
  expect(parsed['quick']?.data).toEqual({ kind: 'made', prompt: 16 });
});

test('a misspelt key of a benchmark is an error that names it', () => {
  const { error } = schema.safeParse({ quick: { of: 'toy', profile: { kind: 'one' }, secs: 3 } });
  expect(error?.issues[0]).toMatchObject({ code: 'unrecognized_keys', keys: ['secs'], path: ['quick'] });
});

test('the schema of the benchmarks can be written as JSON Schema', () => {
  expect(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))).toContain('"streams"');
});
