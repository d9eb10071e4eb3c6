import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

const load = ['--max-requests', '6', '--prompt-tokens', '20', '--output-tokens', '4', '--warmup', '0'];

test('reasoning tokens and the first token behind them are told apart in every report', async () => {
  const server = await startScriptedServer({ reasoning: 5 });
  try {
    const { report, records, folder } = await bench(place, [server.url, ...load]);
    const [stage] = report.stages;
    expect(stage?.reasoningTokens).toMatchObject({ sum: 30, mean: 5, sources: ['usage'] });
    expect(stage?.outputTokens).toMatchObject({ sum: 54 });
    const waits = records.map((one) => ((one.firstContent ?? 0) - (one.sent ?? 0)) / 1000);
    expect(stage?.ttfot).toMatchObject({ n: 6, max: Math.max(...waits) });
    expect(stage?.ttfot?.max).toBeGreaterThanOrEqual(stage?.ttft?.max ?? Number.NaN);

    const shown = await place.berth('report', 'last');
    expect(shown.stdout).toMatch(/5 of 9 output tokens were reasoning \(by usage\).*TTFOT/);
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('First token after reasoning');
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).toContain('| TTFOT p50 |');
    const [header = '', row = ''] = readFileSync(join(folder, 'report.csv'), 'utf8').split('\r\n');
    const at = header.split(',').indexOf('ttfot_max_ms');
    expect(Number(row.split(',')[at])).toBe(Math.max(...waits));
    const compared = await place.berth('compare', 'last', 'last');
    expect(compared.stdout).toContain('TTFOT p50');
  } finally {
    await server.close();
  }
});

test('answers without reasoning have no figures of it', async () => {
  const server = await startScriptedServer();
  try {
    const { report, folder } = await bench(place, [server.url, ...load]);
    expect(report.stages[0]?.reasoningTokens).toBeNull();
    expect(readFileSync(join(folder, 'report.md'), 'utf8')).not.toContain('TTFOT');
  } finally {
    await server.close();
  }
});
