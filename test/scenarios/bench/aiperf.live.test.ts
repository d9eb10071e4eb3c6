import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

/** AIPerf itself, as tools/live/aiperf.sh installs it, with the tokenizer that comes with GuideLLM. */
const cache = process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live');
const tokenizer = join(cache, 'guidellm/tokenizer');
const there = existsSync(join(cache, 'aiperf/bin/aiperf')) && existsSync(tokenizer);
const missing = there ? '' : ' (skipped: tools/live/aiperf.sh and guidellm.sh have not put AIPerf there)';

/** Its dozen of processes take a minute to begin where the machine is busy. */
const slowStart = 300_000;

let truth: TruthServer;
let place: Place;
beforeAll(async () => {
  truth = await startTruthServer({ address: '127.0.0.1', port: 0 });
  place = makePlace();
});
afterAll(async () => {
  await place.close();
  await truth.close(0);
});

async function profile(folder: string, ...load: string[]): Promise<string> {
  const server = ['--model', 'truth', '--url', truth.url, '--endpoint-type', 'chat', '--streaming'];
  const data = ['--isl', '16', '--osl', '16', '--num-dataset-entries', '40'];
  const tokens = ['--tokenizer', tokenizer, '--use-server-token-count'];
  const out = ['--ui', 'none', '--artifact-dir', join(place.folder, folder)];
  await promisify(execFile)(
    join(cache, 'aiperf/bin/aiperf'),
    ['profile', ...server, ...load, ...data, ...tokens, ...out],
    {
      cwd: place.folder,
      // A hub that is said to be offline keeps it from its own folder too; one that is dead does not.
      env: { ...place.env, HF_ENDPOINT: 'http://127.0.0.1:9' },
      timeout: slowStart - 60_000,
      maxBuffer: 1 << 26,
    },
  );
  return join(folder, 'profile_export_aiperf.json');
}

interface Shown {
  tool: string;
  model: string;
  api: string;
  stages: {
    label: string;
    open: boolean;
    requests: { ok: number };
    outputTokens: number;
    summaries: Record<string, { n: number; p50: number }>;
  }[];
}

test.skipIf(!there)(
  `berth reads a file that AIPerf wrote, and compares one with a run of its own${missing}`,
  async () => {
    const closed = await profile('closed', '--concurrency', '4', '--request-count', '40');
    const shown = (await place.berth('report', closed, '--json')).json() as Shown;
    expect(shown.tool).toMatch(/^AIPerf \d/);
    expect(shown).toMatchObject({ model: 'truth', api: 'chat' });
    expect(shown.stages[0]).toMatchObject({ label: '4 streams', requests: { ok: 40 }, outputTokens: 16 });
    // The truth server waits 50 ms before the first token, and 10 ms between two.
    const { ttft, tpot } = shown.stages[0]?.summaries ?? {};
    expect(ttft?.n).toBe(40);
    expect(ttft?.p50).toBeGreaterThan(45);
    expect(tpot?.p50).toBeGreaterThan(9);

    const load = ['--streams', '4', '--max-requests', '40', '--output-tokens', '16', '--prompt-tokens', '16'];
    await place.berth('bench', truth.url, '--model', 'truth', ...load, '--no-calibrate');
    const compared = await place.berth('compare', closed, 'last', '--unequal');
    expect(compared.stdout).toMatch(/4 streams +TPOT p50, ms/);
    expect(compared.stdout).toContain('there is no ITL');
  },
  slowStart,
);

test.skipIf(!there)(
  `a rate that AIPerf kept is told as a rate${missing}`,
  async () => {
    const open = await profile('open', '--request-rate', '20', '--request-count', '20');
    const [stage] = ((await place.berth('report', open, '--json')).json() as Shown).stages;
    expect(stage).toMatchObject({ label: '20 req/s', open: true, requests: { ok: 20 } });
  },
  slowStart,
);
