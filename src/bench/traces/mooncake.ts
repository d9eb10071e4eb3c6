import { z } from 'zod';
import type { TraceFormat, TraceLine } from './contract.ts';
import { parseJson } from '../../domain/json.ts';
import { explain } from './json-line.ts';

const Line = z.object({
  timestamp: z.number().min(0),
  input_length: z.int().positive(),
  output_length: z.int().min(0),
  hash_ids: z.array(z.union([z.int(), z.string()])).nullish(),
});

function read(line: string, blockTokens: number): TraceLine {
  const value = parseJson(line);
  if (value === undefined) return { fault: 'it is not JSON' };
  const parsed = Line.safeParse(value);
  if (!parsed.success) return { fault: explain(parsed.error) };
  const { timestamp, input_length: prompt, output_length: output, hash_ids: blocks } = parsed.data;
  if (blocks && blocks.length > Math.ceil(prompt / blockTokens))
    return {
      fault: `${blocks.length} hash_ids are more than ${prompt} tokens have blocks of ${blockTokens} (blockTokens)`,
    };
  return { request: { at: timestamp / 1000, prompt, output, blocks: blocks ?? null } };
}

/** The open traces of Mooncake: JSON lines with a time in ms, lengths, and a name for each block of the prompt. */
export const mooncake: TraceFormat<'mooncake'> = {
  kind: 'mooncake',
  title: 'JSON lines of Mooncake: timestamp (ms), input_length, output_length, hash_ids',
  header: false,
  recognizes: (first) => {
    const value = parseJson(first);
    return typeof value === 'object' && value !== null && 'input_length' in value;
  },
  open:
    (_first, { blockTokens }) =>
    (line) =>
      read(line, blockTokens),
};
