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
  // A run with a name, and limits of the user's own.
  expect((await place.berth('baseline', 'main', 'last~1')).stdout).toMatch(/@main +\d{8}T/);
  const wide = await place.berth('compare', '@main', 'last', '--limit', 'ttft.p50 <= +5000%');
  expect([0, 5]).toContain(wide.code);
  expect(wide.stdout).toMatch(/Kept: ttft\.p50 <= \+5000% at 16 streams \(\+\d+\.\d %\)/);
  const tight = await place.berth(
    'compare',
    '@main',
    'last',
    '--limit',
    'ttft.p50 <= +10%',
    'tpot.p50 <= +1%',
  );
  expect([4, 5]).toContain(tight.code);
  expect(tight.stdout).toContain('Missed: ttft.p50 <= +10% at 16 streams');
  expect(tight.stdout).toContain('Missed (not measured): tpot.p50 <= +1% at 16 streams.');
  expect((await place.berth('compare', '@other', 'last')).stderr).toContain('There are: @main.');
  expect((await place.berth('compare', '@main', 'last', '--limit', 'ttft < 5')).code).toBe(2);
  expect((await place.berth('baseline', 'main', '--remove', '--json')).json()).toEqual({});
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
