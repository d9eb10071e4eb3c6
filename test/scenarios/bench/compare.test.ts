import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
});
afterAll(() => truth.close(0));
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

async function bench(ttftMs: number, tokens: number): Promise<void> {
  const model = JSON.stringify({ ttftMs, itlMs: 1 });
  await place.berth(
    'bench',
    truth.url,
    '--model',
    model,
    '--max-requests',
    '520',
    '--streams',
    '16',
    '--output-tokens',
    String(tokens),
    '--prompt-tokens',
    '10',
    '--no-calibrate',
  );
}

test('a server that became ten times slower is found; a client that was busy judges nothing', async () => {
  await bench(10, 3);
  await bench(100, 3);
  const ran = await place.berth('compare', 'last~1', 'last', '--json');
  // A busy machine may limit the client; then the exit code says that first.
  expect([4, 5]).toContain(ran.code);
  const { comparisons } = ran.json() as {
    comparisons: { stages: { differences: { metric: string; verdict: string }[] }[] }[];
  };
  const differences = comparisons[0]?.stages[0]?.differences ?? [];
  expect(differences.find((one) => one.metric === 'TTFT p50')?.verdict).toBe('worse');
  const text = (await place.berth('compare', 'last~1', 'last')).stdout;
  expect(text).toMatch(/TTFT p50, ms .*worse/);
  expect(text).toMatch(/TTFT p99, ms .*not enough data/);
});

test('runs of unequal work are refused, unless asked for', async () => {
  await bench(5, 3);
  await bench(5, 9);
  const refused = await place.berth('compare', 'last~1', 'last');
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('16 streams: output tokens a request: 3.0 and 9.0');
  const shown = await place.berth('compare', 'last~1', 'last', '--unequal');
  expect(shown.stdout).toContain('Not equal work: 16 streams: output tokens a request: 3.0 and 9.0');
  expect((await place.berth('compare', 'last~9', 'last')).code).toBe(2);
});
