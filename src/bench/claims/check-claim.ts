import type { Claim } from '../../domain/claims.ts';
import { outputRateBound } from '../../domain/output-rate.ts';
import { speedup } from '../analyse/scaling.ts';

/** Published figures are rounded; a difference below this share is none. */
const tolerance = 0.03;

export interface CheckedClaim {
  readonly verdict: 'holds' | 'contradicted';
  /** Claimed and recomputed, in `unit`. */
  readonly claimed: number;
  readonly computed: number;
  readonly unit: string;
  /** One line a step, with the numbers in it. */
  readonly arithmetic: readonly string[];
  readonly conclusion: string;
}

/** Recomputes a published figure from those beside it. Pure. */
export function checkClaim(claim: Claim): CheckedClaim {
  switch (claim.kind) {
    case 'efficiency':
      return checkEfficiency(claim);
    case 'throughput':
      return checkThroughput(claim);
    case 'cost':
      return checkCost(claim);
  }
}

function checkEfficiency({ claims, single, parallel }: Extract<Claim, { kind: 'efficiency' }>): CheckedClaim {
  const one = single.outputTokens / single.seconds;
  const many = parallel.outputTokens / parallel.seconds;
  const byTokens = speedup(many, one, parallel.streams);
  const byWall = (parallel.streams * single.seconds) / parallel.seconds;
  const holds = near(claims.efficiency, byTokens.efficiency);
  const perStream = parallel.outputTokens / parallel.streams;
  return {
    verdict: holds ? 'holds' : 'contradicted',
    claimed: claims.efficiency,
    computed: byTokens.efficiency,
    unit: 'of perfect scaling',
    arithmetic: [
      `1 stream: ${single.outputTokens} tokens / ${single.seconds} s = ${one.toFixed(2)} tok/s`,
      `${parallel.streams} streams: ${parallel.outputTokens} tokens / ${parallel.seconds} s = ${many.toFixed(2)} tok/s`,
      `speed-up by tokens: ${many.toFixed(2)} / ${one.toFixed(2)} = ${byTokens.speedup.toFixed(2)}; efficiency: ${byTokens.speedup.toFixed(2)} / ${parallel.streams} = ${percent(byTokens.efficiency)}`,
      `by wall time: ${parallel.streams} × ${single.seconds} s / ${parallel.seconds} s = ${percent(byWall)}, with answers of ${single.outputTokens} and ${round(perStream)} tokens`,
    ],
    conclusion: holds
      ? `${percent(claims.efficiency)} holds by tokens.`
      : `The efficiency is ${percent(byTokens.efficiency)}, not ${percent(claims.efficiency)}${near(claims.efficiency, byWall) ? ': that figure compares wall times of unequal work' : ''}.`,
  };
}

function checkThroughput(claim: Extract<Claim, { kind: 'throughput' }>): CheckedClaim {
  const claimed = claim.claims.outputTokensPerSecond;
  const bound = outputRateBound(claim);
  const holds = claimed <= bound * (1 + tolerance);
  const { promptTokens, outputTokens } = claim;
  const both =
    promptTokens !== undefined && outputTokens !== undefined
      ? (bound * (promptTokens + outputTokens)) / outputTokens
      : null;
  return {
    verdict: holds ? 'holds' : 'contradicted',
    claimed,
    computed: bound,
    unit: 'output tok/s at most',
    arithmetic: [
      outputTokens === undefined
        ? `${claim.streams} streams / ${claim.itlMs} ms = ${bound.toFixed(1)} output tok/s at most`
        : `${claim.streams} streams × ${outputTokens} tokens / (${claim.ttftMs ?? 0} ms + ${outputTokens - 1} × ${claim.itlMs} ms) = ${bound.toFixed(1)} output tok/s at most`,
      ...(both === null
        ? []
        : [
            `with the prompt: ${bound.toFixed(1)} × (${promptTokens} + ${outputTokens}) / ${outputTokens} = ${both.toFixed(1)} tok/s`,
          ]),
    ],
    conclusion: holds
      ? `${claimed} output tok/s is possible with these gaps.`
      : `${claimed} tok/s is ${(claimed / bound).toFixed(2)} times what these streams can give${both !== null && near(claimed, both, 0.1) ? ': it counts prompt tokens' : ', so it is not output alone'}. Of output it is at most ${bound.toFixed(1)} tok/s.`,
  };
}

function checkCost(claim: Extract<Claim, { kind: 'cost' }>): CheckedClaim {
  const perHour = (claim.tokensPerSecond * 3600) / 1000;
  const price = claim.pricePer1kTokens * perHour;
  const claimed = claim.claims.pricePerHour;
  const holds = near(claimed, price);
  const kind = claim.tokens === 'both' ? 'prompt and output ' : claim.tokens ? `${claim.tokens} ` : '';
  return {
    verdict: holds ? 'holds' : 'contradicted',
    claimed,
    computed: price,
    unit: 'an hour',
    arithmetic: [
      `${claim.tokensPerSecond} tok/s × 3600 s / 1000 = ${perHour.toFixed(2)} thousand ${kind}tokens an hour`,
      `${claim.pricePer1kTokens} × ${perHour.toFixed(2)} = ${price.toFixed(2)} an hour`,
      `at ${claimed} an hour: ${claimed} / ${perHour.toFixed(2)} = ${(claimed / perHour).toFixed(6)} per 1K`,
    ],
    conclusion: holds
      ? `${claim.pricePer1kTokens} per 1K fits ${claimed} an hour.`
      : `${claim.pricePer1kTokens} per 1K is the price of ${price.toFixed(2)} an hour, not of ${claimed}.`,
  };
}

function near(a: number, b: number, share = tolerance): boolean {
  return Math.abs(a - b) <= share * Math.abs(b);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1).replace(/\.0$/, '')} %`;
}

function round(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
