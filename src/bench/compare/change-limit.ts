import type { Comparison, Difference } from './compare-runs.ts';

const names = { ttft: 'TTFT', ttfot: 'TTFOT', itl: 'ITL', tpot: 'TPOT', e2e: 'E2E' } as const;

const pattern =
  /^\s*(?:(ttft|ttfot|itl|tpot|e2e)\.(p50|p95|p99)|(output_rate))\s*(<=|>=)\s*([+-]\d+(?:\.\d+)?)\s*%\s*$/;

/** What a figure may change against the baseline: "ttft.p95 <= +10%", "output_rate >= -5%". */
export interface ChangeLimit {
  readonly text: string;
  readonly metric: string;
  readonly most: boolean;
  /** As a factor of the baseline's figure. */
  readonly factor: number;
}

/** Null: it is none. */
export function parseChangeLimit(text: string): ChangeLimit | null {
  const [, latency, quantile, rate, comparison, percent] = pattern.exec(text) ?? [];
  if (percent === undefined) return null;
  const metric = rate === undefined ? `${names[latency as keyof typeof names]} ${quantile}` : 'output rate';
  return { text: text.trim(), metric, most: comparison === '<=', factor: 1 + Number(percent) / 100 };
}

export interface ChangeGate {
  readonly stage: string;
  readonly limit: string;
  /** As a factor; null: the runs do not both have the figure. */
  readonly change: number | null;
  /** unsure: the interval of the change reaches over the limit. */
  readonly verdict: 'kept' | 'missed' | 'unsure' | 'not measured';
}

/** Holds each stage of a comparison against each limit. A limit is missed only when the whole interval lies beyond it. */
export function changeGates(comparison: Comparison, limits: readonly ChangeLimit[]): ChangeGate[] {
  return comparison.stages.flatMap(({ label, differences }) =>
    limits.map((limit) => {
      const found = differences.find(({ metric }) => metric === limit.metric);
      return {
        stage: label,
        limit: limit.text,
        change: found ? found.other / found.base : null,
        verdict: found ? verdictOf(found, limit) : 'not measured',
      };
    }),
  );
}

function verdictOf(
  { base, other, estimate }: Difference,
  { most, factor }: ChangeLimit,
): ChangeGate['verdict'] {
  const [low, high] = estimate?.interval ?? [other / base, other / base];
  const beyond = most ? low > factor : high < factor;
  const within = most ? high <= factor : low >= factor;
  return beyond ? 'missed' : within ? 'kept' : 'unsure';
}
