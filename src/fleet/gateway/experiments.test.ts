import { expect, test } from 'vitest';
import { Experiment } from '../../domain/experiment.ts';
import { readPrometheusRows } from '../../stats/prometheus-read.ts';
import { judge } from './experiments.ts';

const experiment = Experiment.parse({ arms: { full: 'a', small: 'b' }, split: [1, 1] });

/** What a gateway tells of two arms: requests within a tenth of a second and within a second, and clients. */
function metrics(arms: Record<string, { fast: number; slow: number; units: number }>): string {
  return Object.entries(arms)
    .flatMap(([deployment, { fast, slow, units }]) => {
      const of = `model="quant",deployment="${deployment}"`;
      const bucket = 'berth_gateway_ttft_seconds_bucket{endpoint="/v1/chat/completions",';
      return [
        `${bucket}${of},le="0.1"} ${fast}`,
        `${bucket}${of},le="1"} ${fast + slow}`,
        `${bucket}${of},le="+Inf"} ${fast + slow}`,
        `berth_gateway_split_units{${of}} ${units}`,
        `berth_gateway_requests_total{${of},status="200"} ${fast}`,
        `berth_gateway_requests_total{${of},status="502"} ${slow}`,
        `berth_gateway_requests_total{${of},status="499"} 1000000`,
      ];
    })
    .join('\n');
}

function judged(
  arms: Parameters<typeof metrics>[0],
  more: Partial<Experiment> = {},
): ReturnType<typeof judge> {
  return judge('quant', { ...experiment, ...more }, readPrometheusRows(metrics(arms)));
}

test('an arm is better or worse once the intervals part, and before that it is said that it is not yet enough', () => {
  const few = judged({ a: { fast: 10, slow: 90, units: 5 }, b: { fast: 99, slow: 1, units: 5 } });
  expect(few.arms.map(({ verdict }) => verdict)).toEqual([null, 'not yet enough']);
  expect(few.arms[1]?.interval?.high).toBeNull();
  const many = { a: { fast: 5000, slow: 5000, units: 50 }, b: { fast: 9990, slow: 10, units: 50 } };
  expect(judged(many).arms[1]).toMatchObject({
    verdict: 'better',
    interval: { low: 0, high: 0.1 },
    requests: 10_000,
  });
  expect(judged({ a: many.b, b: many.a }).arms[1]).toMatchObject({
    verdict: 'worse',
    interval: { low: 0.1 },
  });
  expect(judged({ a: many.a, b: many.a }).arms[1]?.verdict).toBe('not yet enough');
});

test('errors count those of the server, not clients that left', () => {
  const arms = { a: { fast: 9000, slow: 1000, units: 1 }, b: { fast: 10_000, slow: 0, units: 1 } };
  const { arms: told } = judged(arms, { metric: 'error_rate' });
  expect(told.map(({ value, requests }) => [value, requests])).toEqual([
    [0.1, 10_000],
    [0, 10_000],
  ]);
  expect(told[1]?.verdict).toBe('better');
});

test('clients that were dealt out otherwise than the weights say are told, and none at all is not known', () => {
  const fair = { a: { fast: 1, slow: 1, units: 510 }, b: { fast: 1, slow: 1, units: 490 } };
  expect(judged(fair).ratio.state).toBe('ok');
  expect(judged(fair, { split: [9, 1] }).ratio.state).toBe('mismatch');
  expect(judged({ a: { ...fair.a, units: 0 }, b: { ...fair.b, units: 0 } }).ratio.state).toBe('unknown');
  expect(judged({}).arms.map(({ value, interval }) => [value, interval])).toEqual([
    [null, null],
    [null, null],
  ]);
});
