import type { Strategy } from '../../domain/load-shape.ts';
import type { RecordRow } from '../../domain/run/record-row.ts';
import type { Conversations, Distribution } from '../../domain/run/stage-report.ts';
import { summarize } from '../../stats/summary.ts';
import { latenciesOf } from './latencies.ts';

/** Turns from this one on are one row. */
const mostRows = 12;

/** What conversations of a stage were like, turn by turn; null where requests are no turns. */
export function conversationsOf(
  records: readonly RecordRow[],
  options: { strategy: Strategy; streams: number; seed: number },
): Conversations | null {
  if (!options.strategy.talk) return null;
  const turns = records.filter(({ session }) => session !== undefined);
  const broken = turns.filter(({ outcome }) => outcome !== 'ok' && outcome !== 'censored');
  const last = turns.reduce((most, { session }) => Math.max(most, session?.turn ?? 0), 0);
  const rows = Array.from({ length: Math.min(last + 1, mostRows) }, (_, turn) =>
    turns.filter(({ session }) => Math.min(session?.turn ?? 0, mostRows - 1) === turn),
  );
  return {
    begun: turns.filter(({ session }) => session?.turn === 0).length,
    broken: broken.length,
    turns: rows.flatMap((row, turn) => {
      const measured = row.filter(({ phase }) => phase === 'measured');
      return measured.length === 0
        ? []
        : [
            {
              turn: turn + 1,
              andLater: turn + 1 === mostRows && last >= mostRows,
              ...figuresOf(measured, options),
            },
          ];
    }),
  };
}

function figuresOf(
  measured: readonly RecordRow[],
  options: { strategy: Strategy; streams: number; seed: number },
): Omit<Conversations['turns'][number], 'turn' | 'andLater'> {
  const good = measured.filter(({ outcome }) => outcome === 'ok');
  const found = latenciesOf(good);
  const open = options.strategy.kind === 'open';
  const prompt = sumOf(good.map((record) => record.prompt.tokens));
  const cached = sumOf(good.map((record) => record.cached));
  function distribution(values: ArrayLike<number>): Distribution | null {
    return summarize(values, options);
  }
  return {
    requests: measured.length,
    ok: good.length,
    ttft: distribution(open ? found.ttftScheduled : found.ttft),
    e2e: distribution(open ? found.e2eScheduled : found.e2e),
    promptTokens: prompt === null ? null : prompt / good.length,
    cachedShare: cached === null || !prompt ? null : cached / prompt,
  };
}

/** Null when one of them is unknown, or there is none. */
function sumOf(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce<number | null>(
    (sum, value) => (sum === null || value === null ? null : sum + value),
    0,
  );
}
