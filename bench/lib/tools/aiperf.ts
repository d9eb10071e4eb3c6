import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { askedTokens, promptsOf } from './contract.ts';
import type { Load, Tool } from './contract.ts';

const figure = z.object({ value: z.number() }).optional();
const AiperfRecord = z.object({
  metadata: z.object({ x_request_id: z.string() }),
  metrics: z.object({
    time_to_first_token: figure,
    inter_token_latency: figure,
    request_latency: figure,
    effective_latency: figure,
    output_sequence_length: figure,
    inter_chunk_latency: z.object({ value: z.array(z.number()) }).optional(),
  }),
  error: z.unknown().optional(),
});
const AiperfRaw = z.object({ metadata: z.object({ x_request_id: z.string() }) });

/** Tokens as the server counts them, as for the others; which answer it was stands in its raw export. */
export function aiperf(program: string, tokenizer: string): Tool {
  return {
    name: 'aiperf',
    argv: (url, load, folder) => {
      const server = ['--model', 'truth', '--url', url, '--endpoint-type', 'chat'];
      if (load.streamed !== false) server.push('--streaming');
      const prompts = ['--isl', '16', '--osl', String(askedTokens), '--num-dataset-entries'];
      const data = [...prompts, String(Math.min(1000, promptsOf(load)))];
      const tokens = ['--tokenizer', tokenizer, '--use-server-token-count'];
      const out = ['--export-level', 'raw', '--ui', 'none', '--artifact-dir', join(folder, 'out')];
      return [program, 'profile', ...server, ...loadOf(load), ...data, ...tokens, ...out];
    },
    // Its tokenizer is a folder; a hub that is said to be offline keeps it from that folder too, one that is dead does not.
    env: (folder) => ({ ...process.env, HOME: folder, HF_ENDPOINT: 'http://127.0.0.1:9' }),
    read: (folder) => {
      const numbers = new Map<string, number>();
      for (const line of textLines(join(folder, 'out/profile_export_raw.jsonl'))) {
        const id = AiperfRaw.parse(JSON.parse(line)).metadata.x_request_id;
        numbers.set(id, Number(/truth-(\d+)/.exec(line)?.[1] ?? Number.NaN));
      }
      return textLines(join(folder, 'out/profile_export.jsonl'))
        .map((line) => AiperfRecord.parse(JSON.parse(line)))
        .filter(({ error }) => error === null || error === undefined)
        .map(({ metadata, metrics }) => {
          const gaps = metrics.inter_chunk_latency?.value ?? [];
          return {
            number: numbers.get(metadata.x_request_id) ?? Number.NaN,
            ttftMs: metrics.time_to_first_token?.value ?? null,
            tpotMs: metrics.inter_token_latency?.value ?? null,
            longestGapMs: gaps.length === 0 ? null : Math.max(...gaps),
            e2eMs: metrics.request_latency?.value ?? null,
            fromScheduleMs: metrics.effective_latency?.value ?? null,
            tokens: metrics.output_sequence_length?.value ?? null,
          };
        });
    },
  };
}

function loadOf(load: Load): string[] {
  const { rate, streams, arrivals, requests, seconds, timeoutSeconds } = load;
  const shape =
    rate === undefined
      ? ['--concurrency', String(streams)]
      : ['--request-rate', String(rate), '--arrival-pattern', arrivals ?? 'constant'];
  if (requests !== undefined) shape.push('--request-count', String(requests));
  if (seconds !== undefined) shape.push('--benchmark-duration', String(seconds));
  if (timeoutSeconds !== undefined) shape.push('--request-timeout-seconds', String(timeoutSeconds));
  return shape;
}

function textLines(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}
