import type { RunSpec } from '../../domain/run/spec.ts';

/** What so much time and so many tokens cost by the prices of a run; null: it has none. */
export function moneyOf(
  stops: RunSpec['stops'],
  used: { promptTokens: number; outputTokens: number; seconds: number },
): number | null {
  const { pricePerHour = null, pricePerMillion } = stops ?? {};
  if (pricePerHour === null && !pricePerMillion) return null;
  const { prompt, output } = pricePerMillion ?? { prompt: 0, output: 0 };
  return (
    (used.seconds / 3600) * (pricePerHour ?? 0) +
    (used.promptTokens * prompt + used.outputTokens * output) / 1e6
  );
}
