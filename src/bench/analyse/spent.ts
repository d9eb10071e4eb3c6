import type { RecordRow } from '../../domain/run/record-row.ts';

/** Tokens of all these requests, warm-up included, as far as they are known. */
export function spentOn(records: readonly Pick<RecordRow, 'prompt' | 'output'>[]): {
  promptTokens: number;
  outputTokens: number;
} {
  let [promptTokens, outputTokens] = [0, 0];
  for (const { prompt, output } of records) {
    promptTokens += prompt.tokens ?? 0;
    outputTokens += output.tokens ?? 0;
  }
  return { promptTokens, outputTokens };
}
