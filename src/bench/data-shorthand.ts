import { extname } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { readPairs } from './key-values.ts';

type Data = { kind: string } & Record<string, unknown>;

/** Other tools' names of the same data. */
const otherNames: Readonly<Record<string, string>> = {
  synthetic_text: 'synthetic',
  json_file: 'jsonl',
  file: 'jsonl',
  csv_file: 'csv',
  parquet_file: 'parquet',
};

/** What a file holds, by the end of its name. */
const kindsByEnd: Readonly<Record<string, string>> = {
  '.csv': 'csv',
  '.tsv': 'csv',
  '.parquet': 'parquet',
  // One list in one file is how conversations are handed around.
  '.json': 'sharegpt',
};

/** Other names of a dataset's own keys. */
const keys: Readonly<Record<string, string>> = {
  prompt_tokens: 'prompt',
  output_tokens: 'output',
  path: 'file',
  samples: 'samples',
};

/** Other tools' names of the columns of a file. */
const columnKeys: Readonly<Record<string, string>> = {
  text_column: 'prompt',
  prompt_column: 'prompt',
  prefix_column: 'system',
  output_tokens_count_column: 'output',
};

const lengthKey = /^(prompt|output)(?:_tokens)?_(mean|stdev|min|max|distribution)$/;

/**
 * `--data` in one word: the path of a file, or `prompt_tokens=256,output_tokens=128` as other tools write it, with or
 * without `kind=`, or the same as JSON. Throws USAGE for what is no such list; what a dataset does not know it says itself.
 */
export function parseData(text: string): Data {
  if (!text.includes('=') && !text.trim().startsWith('{')) return { kind: kindOfFile(text), file: text };
  const pairs = readPairs(text, usage);
  const file = pairs['file'] ?? pairs['path'];
  const data: Data = { kind: typeof file === 'string' ? kindOfFile(file) : 'synthetic' };
  const columns: Record<string, unknown> = {};
  const spread: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(pairs)) {
    const [, what, part] = lengthKey.exec(key) ?? [];
    if (what !== undefined && part !== undefined) spread[what] = { ...spread[what], [part]: value };
    else if (columnKeys[key] !== undefined) columns[columnKeys[key]] = value;
    else if (key === 'kind') data.kind = otherNames[String(value)] ?? String(value);
    else if (!key.startsWith('prefix_')) data[keys[key] ?? key] = value;
  }
  for (const [what, more] of Object.entries(spread)) data[what] = lengthOf(data[what], more);
  if (Object.keys(columns).length > 0) data['columns'] = { ...(data['columns'] as object), ...columns };
  const prefix = prefixOf(pairs);
  return prefix === null ? data : { ...data, prefix };
}

function kindOfFile(path: string): string {
  return kindsByEnd[extname(path).toLowerCase()] ?? 'jsonl';
}

/** `prompt_tokens=256,prompt_tokens_stdev=20`: the plain number is the mean. */
function lengthOf(plain: unknown, more: Record<string, unknown>): Record<string, unknown> {
  const mean = typeof plain === 'number' ? { mean: plain } : plain;
  return { ...(typeof mean === 'object' ? mean : {}), ...more };
}

function prefixOf(pairs: Record<string, unknown>): unknown {
  const buckets = pairs['prefix_buckets'];
  if (Array.isArray(buckets)) return buckets.map((bucket) => bucketOf(bucket as Record<string, unknown>));
  const tokens = pairs['prefix_tokens'];
  if (tokens === undefined || tokens === 0) {
    const lost = Object.keys(pairs).find((key) => /^prefix_(?!tokens$|column$)/.test(key));
    if (lost !== undefined) throw usage(`${lost} wants prefix_tokens`);
    return null;
  }
  const count = pairs['prefix_count'];
  return [{ tokens, ...(count === undefined ? {} : { count }) }];
}

function bucketOf(bucket: Record<string, unknown>): Record<string, unknown> {
  const names: Readonly<Record<string, string>> = {
    prefix_tokens: 'tokens',
    prefix_count: 'count',
    bucket_weight: 'weight',
  };
  return Object.fromEntries(Object.entries(bucket).map(([key, value]) => [names[key] ?? key, value]));
}

function usage(reason: string): BerthError {
  return new BerthError('USAGE', {
    detail: `--data is a file, or prompt_tokens=256,output_tokens=128: ${reason}.`,
    command: 'bench',
  });
}
