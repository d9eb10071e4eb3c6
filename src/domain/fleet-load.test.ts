import { expect, test } from 'vitest';
import { loadBetween } from './fleet-load.ts';
import type { FleetReading, ReplicaReading } from './fleet-load.ts';

const engine = {
  running: 1,
  waiting: 0,
  kvUse: 0.5,
  preemptions: 0,
  prefixQueries: null,
  prefixHits: null,
  promptTokens: 100,
  cachedTokens: null,
  outputTokens: 1000,
  requests: 3,
};
const replica: ReplicaReading = {
  deployment: 'a',
  replica: 0,
  state: 'ready',
  pid: 7,
  slots: 2,
  memoryBytes: 1,
  cpuSeconds: 10,
  engine,
};

function reading(at: number, change: Partial<ReplicaReading>): FleetReading {
  return { at, replicas: [{ ...replica, ...change }], gpus: [] };
}

test('rates are what was added over the time between', () => {
  const later = { cpuSeconds: 13, engine: { ...engine, promptTokens: 100, outputTokens: 1100 } };
  const { replicas, seconds } = loadBetween('lab', reading(1000, {}), reading(3000, later));
  expect(seconds).toBe(2);
  expect(replicas[0]).toMatchObject({ outputTokensPerSecond: 50, promptTokensPerSecond: 0, cores: 1.5 });
});

test.each([
  ['another process', { pid: 8, cpuSeconds: 20, engine: { ...engine, outputTokens: 2000 } }],
  ['totals that began anew', { cpuSeconds: 1, engine: { ...engine, outputTokens: 5, promptTokens: 5 } }],
  ['an engine that tells nothing', { cpuSeconds: null, engine: null }],
])('%s: no rate is told', (_, later) => {
  const { replicas } = loadBetween('lab', reading(1000, {}), reading(3000, later));
  expect(replicas[0]).toMatchObject({
    outputTokensPerSecond: null,
    promptTokensPerSecond: null,
    cores: null,
  });
});
