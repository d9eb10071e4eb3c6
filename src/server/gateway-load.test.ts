import { expect, test } from 'vitest';
import { prometheusText } from '../stats/prometheus.ts';
import { loadOf } from './gateway-load.ts';

test('requests under way and waiting are read from the metrics as the gateway writes them', () => {
  const text = prometheusText([
    {
      kind: 'gauge',
      name: 'berth_gateway_queue_depth',
      help: 'x',
      samples: [{ labels: { deployment: 'a' }, value: 3 }],
    },
    {
      kind: 'gauge',
      name: 'berth_gateway_inflight',
      help: 'x',
      samples: [
        { labels: { deployment: 'a', upstream: 'a-0' }, value: 4 },
        { labels: { deployment: 'a', upstream: 'a-1' }, value: 0 },
      ],
    },
    {
      kind: 'gauge',
      name: 'berth_gateway_slots',
      help: 'x',
      samples: [{ labels: { upstream: 'a-0' }, value: 9 }],
    },
    {
      kind: 'gauge',
      name: 'berth_gateway_limit',
      help: 'x',
      samples: [
        { labels: { deployment: 'a', upstream: 'a-0', kind: 'slots' }, value: 3 },
        { labels: { deployment: 'a', upstream: 'a-0', kind: 'rps' }, value: 2.5 },
      ],
    },
  ]);
  expect(loadOf(text)).toEqual({
    inflight: { 'a-0': 4, 'a-1': 0 },
    waiting: { a: 3 },
    limits: { 'a-0': { slots: 3, rps: 2.5 } },
  });
});
