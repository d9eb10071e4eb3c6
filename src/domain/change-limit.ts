import { z } from 'zod';

const names = { ttft: 'TTFT', ttfot: 'TTFOT', itl: 'ITL', tpot: 'TPOT', e2e: 'E2E' } as const;
const rates = { output_rate: 'output rate', input_rate: 'input rate' } as const;

const pattern =
  /^\s*(?:(ttft|ttfot|itl|tpot|e2e)\.(p50|p95|p99)|(output_rate|input_rate))\s*(<=|>=)\s*([+-]\d+(?:\.\d+)?)\s*%\s*$/;

export const changeLimitForm =
  'FIGURE <= +N% or FIGURE >= -N%, where FIGURE is ttft, ttfot, itl, tpot or e2e with .p50 .p95 .p99, or output_rate or input_rate';

/** "ttft.p95 <= +10%", "output_rate >= -5%": what a figure may change against a baseline. */
export const ChangeLimitText = z.string().regex(pattern, `expected ${changeLimitForm}`);

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
  const metric =
    rate === undefined
      ? `${names[latency as keyof typeof names]} ${quantile}`
      : rates[rate as keyof typeof rates];
  return { text: text.trim(), metric, most: comparison === '<=', factor: 1 + Number(percent) / 100 };
}
