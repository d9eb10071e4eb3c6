import { expect, test } from 'vitest';
import { prometheusText } from './prometheus.ts';
import { counters, histograms } from './vectors.ts';

test('counters and histograms are written in the text format, labels escaped, buckets cumulative', () => {
  const requests = counters({ name: 'r_total', help: 'Requests.', labels: ['model', 'status'] });
  requests.at('a"\\\n', '200').value += 2;
  const seconds = histograms({ name: 's_seconds', help: 'Time.', labels: [], bounds: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 7]) seconds.at().observe(value);
  expect(prometheusText([requests.family(), seconds.family()])).toBe(
    [
      '# HELP r_total Requests.',
      '# TYPE r_total counter',
      'r_total{model="a\\"\\\\\\n",status="200"} 2',
      '# HELP s_seconds Time.',
      '# TYPE s_seconds histogram',
      's_seconds_bucket{le="0.1"} 2',
      's_seconds_bucket{le="1"} 3',
      's_seconds_bucket{le="+Inf"} 4',
      's_seconds_sum 7.65',
      's_seconds_count 4',
      '',
    ].join('\n'),
  );
});

test('a family without samples is left out', () => {
  expect(prometheusText([counters({ name: 'x', help: '', labels: [] }).family()])).toBe('');
});

test('series beyond the cap are counted together as "other"', () => {
  const capped = counters({ name: 'x', help: '', labels: ['model'], maxSeries: 3 });
  for (let i = 0; i < 10; i += 1) capped.at(`m${i}`).value += 1;
  const text = prometheusText([capped.family()]);
  expect(text.split('\n').filter((line) => line.startsWith('x{'))).toEqual([
    'x{model="m0"} 1',
    'x{model="m1"} 1',
    'x{model="m2"} 1',
    'x{model="other"} 7',
  ]);
});
