import { expect, test } from 'vitest';
import type { TallyRow } from '../../domain/experiment-tally.ts';
import { Experiment } from '../../domain/experiment.ts';
import { judge } from './experiments.ts';

const experiment = Experiment.parse({ arms: { full: 'a', small: 'b' }, split: [1, 1] });

/** What clients of one arm have: within a tenth of a second, and within a second. */
interface Arm {
  /** How many clients there are, and what each of them has. */
  readonly clients: number;
  readonly fast: number;
  readonly slow: number;
}

function rowsOf(
  deployment: string,
  arms: readonly Arm[],
  measure: string,
  points: readonly [string, string],
): TallyRow[] {
  return arms.flatMap(({ clients, fast, slow }, kind) =>
    Array.from({ length: clients }, (_, i) => {
      const of = { experiment: 'quant', measure, deployment, client: `${kind}-${i}` };
      const all = [
        { ...of, point: points[0], count: fast },
        { ...of, point: points[1], count: slow },
        { ...of, point: 'dealt', count: fast + slow + 1000 },
      ];
      return all.filter(({ count }) => count > 0);
    }).flat(),
  );
}

function judged(
  arms: Record<string, readonly Arm[]>,
  more: Partial<Experiment> = {},
): ReturnType<typeof judge> {
  const errors = more.metric === 'error_rate';
  const rows = Object.entries(arms).flatMap(([deployment, clients]) =>
    rowsOf(deployment, clients, errors ? 'error_rate' : 'ttft', errors ? ['good', 'failed'] : ['0.1', '1']),
  );
  return judge('quant', { ...experiment, ...more }, rows);
}

const mostlyFast = [{ clients: 200, fast: 49, slow: 1 }];
const halfFast = [{ clients: 200, fast: 25, slow: 25 }];

test('an arm is better or worse once the intervals part, and before that it is said that it is not yet enough', () => {
  const few = judged({ a: [{ clients: 5, fast: 2, slow: 18 }], b: [{ clients: 5, fast: 19, slow: 1 }] });
  expect(few.arms.map(({ verdict }) => verdict)).toEqual([null, 'not yet enough']);
  expect(few.arms[1]?.interval?.high).toBeNull();
  const all = [{ clients: 200, fast: 50, slow: 0 }];
  expect(judged({ a: halfFast, b: all }, { metric: 'ttft_p50' }).arms[1]).toMatchObject({
    interval: { low: 0.075, high: 0.1 },
    requests: 10_000,
  });
  const sure = { a: [{ clients: 400, fast: 5, slow: 45 }], b: [{ clients: 400, fast: 45, slow: 5 }] };
  expect(judged(sure, { metric: 'ttft_p50' }).arms[1]).toMatchObject({ verdict: 'better' });
  expect(judged({ a: sure.b, b: sure.a }, { metric: 'ttft_p50' }).arms[1]).toMatchObject({
    verdict: 'worse',
  });
  expect(judged({ a: mostlyFast, b: mostlyFast }).arms[1]?.verdict).toBe('not yet enough');
});

test('as many requests of a few clients that differ are worth fewer, and judge nothing', () => {
  // The same sums as of the arms that were told apart, but each client has one sort of requests alone.
  const a = [
    { clients: 2, fast: 1000, slow: 0 },
    { clients: 18, fast: 0, slow: 1000 },
  ];
  const b = [
    { clients: 18, fast: 1000, slow: 0 },
    { clients: 2, fast: 0, slow: 1000 },
  ];
  const { arms } = judged({ a, b }, { metric: 'ttft_p50' });
  expect(arms.map(({ requests, units }) => [requests, units])).toEqual([
    [20_000, 20],
    [20_000, 20],
  ]);
  for (const { worth } of arms) expect(worth).toBeLessThanOrEqual(25);
  expect(arms[1]?.verdict).toBe('not yet enough');
});

test('errors count those of the server, by client', () => {
  const arms = {
    a: [{ clients: 400, fast: 45, slow: 5 }],
    b: [{ clients: 400, fast: 50, slow: 0 }],
  };
  const { arms: told } = judged(arms, { metric: 'error_rate' });
  expect(told.map(({ value, requests }) => [value, requests])).toEqual([
    [0.1, 20_000],
    [0, 20_000],
  ]);
  expect(told[0]?.worth).toBe(20_000);
  // Where none has failed, nothing tells how alike the requests of a client are.
  expect(told[1]?.worth).toBe(400);
});

test('clients that were dealt out otherwise than the weights say are told, and none at all is not known', () => {
  const fair = { a: [{ clients: 510, fast: 1, slow: 1 }], b: [{ clients: 490, fast: 1, slow: 1 }] };
  expect(judged(fair).ratio.state).toBe('ok');
  expect(judged(fair, { split: [9, 1] }).ratio.state).toBe('mismatch');
  expect(judged({}).ratio.state).toBe('unknown');
  expect(judged({}).arms.map(({ value, interval }) => [value, interval])).toEqual([
    [null, null],
    [null, null],
  ]);
});

test('requests of those who do not say who they are count each by itself', () => {
  const of = { experiment: 'quant', measure: 'ttft', client: '' };
  const rows = [
    { ...of, deployment: 'a', point: '0.1', count: 500 },
    { ...of, deployment: 'a', point: '1', count: 4500 },
    { ...of, deployment: 'b', point: '0.1', count: 4500 },
    { ...of, deployment: 'b', point: '1', count: 500 },
  ];
  const { arms, ratio } = judge('quant', { ...experiment, metric: 'ttft_p50' }, rows);
  expect(arms[1]).toMatchObject({ verdict: 'better', units: 0, requests: 5000 });
  expect(arms[1]?.worth).toBeGreaterThan(4900);
  expect(ratio.state).toBe('unknown');
});
