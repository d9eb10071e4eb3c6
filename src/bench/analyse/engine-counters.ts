import type { RecordRow } from '../../domain/run/record-row.ts';
import type { EngineCounters } from '../../domain/run/stage-report.ts';
import { sumKnown } from './throughput.ts';

/** A reading of an engine's counters; null where it has none. */
export interface CounterReading {
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  readonly requests: number | null;
  /** Whether the prompt counter leaves out what came from the prefix cache. */
  readonly withoutCached: boolean;
}

/** How far the engine's own counters moved, held against the sums over all records, warm-up included. */
export function compareCounters(
  before: CounterReading,
  after: CounterReading,
  records: readonly RecordRow[],
): EngineCounters {
  const promptTokens = minus(after.promptTokens, before.promptTokens);
  const outputTokens = minus(after.outputTokens, before.outputTokens);
  // Of a request that failed or was cut, only the engine knows what it cost.
  const complete = records.every((record) => record.outcome === 'ok');
  const counted = complete ? countedTokens(records, after.withoutCached) : { prompt: null, output: null };
  const pairs = [
    [promptTokens, counted.prompt],
    [outputTokens, counted.output],
  ].filter((pair): pair is [number, number] => pair[0] !== null && pair[1] !== null);
  return {
    promptTokens,
    outputTokens,
    requests: minus(after.requests, before.requests),
    countedPromptTokens: counted.prompt,
    countedOutputTokens: counted.output,
    agrees: pairs.length === 0 ? null : pairs.every(([moved, sum]) => moved === sum),
  };
}

/** Sums of counts that the server itself gave; null when one of them is not. */
function countedTokens(
  records: readonly RecordRow[],
  withoutCached: boolean,
): { prompt: number | null; output: number | null } {
  const prompt = records.map((record) => {
    const { tokens, source } = record.prompt;
    if (tokens === null || (source !== 'usage' && source !== 'timings')) return null;
    return withoutCached ? tokens - (record.cached ?? 0) : tokens;
  });
  const output = records.map((record) => {
    const { tokens, source } = record.output;
    return source === 'usage' || source === 'timings' ? tokens : null;
  });
  return { prompt: sumKnown(prompt), output: sumKnown(output) };
}

function minus(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
