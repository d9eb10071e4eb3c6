import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTruthServer } from '../../../src/bench/truth/truth-server.ts';
import type { TruthServer } from '../../../src/bench/truth/truth-server.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';

/** GuideLLM itself, as tools/live/guidellm.sh installs it. */
const home = join(process.env['BERTH_LIVE_CACHE'] ?? join(homedir(), '.cache/berth-live'), 'guidellm');
const guidellm = existsSync(join(home, 'complete')) ? join(home, 'bin/guidellm') : null;
const missing = guidellm === null ? ' (skipped: tools/live/guidellm.sh has not put GuideLLM there)' : '';

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

async function run(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(guidellm as string, args, {
    cwd: place.folder,
    env: { ...place.env, HF_HUB_OFFLINE: '1', COLUMNS: '200' },
    timeout: 110_000,
    maxBuffer: 1 << 26,
  });
  return stdout;
}

test.skipIf(guidellm === null)(`GuideLLM loads and exports a file that berth wrote${missing}`, async () => {
  const model = JSON.stringify({ ttftMs: 30, itlMs: 10, fault: { every: 7, kind: 'server-error' } });
  const load = ['--streams', '1,4', '--max-requests', '20', '--output-tokens', '8', '--prompt-tokens', '20'];
  const ran = await place.berth('bench', truth.url, '--model', model, ...load, '--no-calibrate');
  expect([0, 5]).toContain(ran.code);
  await place.berth('report', 'last', '--format', 'guidellm', '--out', 'ours.json');
  const shown = await run(
    'export',
    'ours.json',
    '--output',
    'kind=console',
    '--output',
    'kind=json,path=theirs.json',
  );
  expect(shown).toContain('concurrent@4');
  // What GuideLLM computes anew of each request when it writes the file again is what berth had written.
  interface Written {
    benchmarks: { requests: { successful: Record<string, number>[]; errored: unknown[] } }[];
  }
  const [ours, theirs] = ['ours.json', 'theirs.json'].map(
    (name) => JSON.parse(readFileSync(join(place.folder, name), 'utf8')) as Written,
  );
  for (const [i, benchmark] of (ours?.benchmarks ?? []).entries()) {
    const other = theirs?.benchmarks[i];
    expect(other?.requests.errored).toHaveLength(benchmark.requests.errored.length);
    for (const [k, request] of benchmark.requests.successful.entries())
      for (const key of [
        'time_to_first_token_ms',
        'inter_token_latency_ms',
        'time_per_output_token_ms',
        'output_tokens',
      ])
        expect(other?.requests.successful[k]?.[key]).toBeCloseTo(request[key] as number, 2);
  }
});

test.skipIf(guidellm === null)(
  `berth reads a file that GuideLLM wrote, and compares it with a run of its own${missing}`,
  async () => {
    await run(
      'run',
      '--backend',
      `kind=openai_http,target=${truth.url},model=truth,request_format=/v1/chat/completions`,
      '--profile',
      'kind=concurrent,streams=4',
      '--constraint',
      'kind=max_requests,count=60',
      '--tokenizer',
      `kind=huggingface_auto,model=${join(home, 'tokenizer')}`,
      '--data',
      'kind=synthetic_text,prompt_tokens=64,output_tokens=16',
      '--data-loader',
      'kind=pytorch,samples=60',
      '--output',
      'kind=json,path=guidellm.json',
      '--disable-console-interactive',
    );
    const shown = await place.berth('report', './guidellm.json', '--json');
    const { tool, model, api, stages } = shown.json() as {
      tool: string;
      model: string;
      api: string;
      stages: {
        label: string;
        requests: { ok: number };
        outputTokens: number;
        values: Record<string, number[]>;
      }[];
    };
    expect(tool).toMatch(/^GuideLLM \d/);
    expect({ model, api }).toEqual({ model: 'truth', api: 'chat' });
    expect(stages[0]).toMatchObject({ label: '4 streams', requests: { ok: 60 }, outputTokens: 16 });
    expect(stages[0]?.values['ttft']).toHaveLength(60);
    // The truth server waits 50 ms before the first token, and 10 ms between two.
    for (const ttft of stages[0]?.values['ttft'] ?? []) expect(ttft).toBeGreaterThan(45);

    const load = ['--streams', '4', '--max-requests', '60', '--output-tokens', '16', '--prompt-tokens', '15'];
    await place.berth('bench', truth.url, '--model', 'truth', ...load, '--no-calibrate');
    const compared = await place.berth('compare', './guidellm.json', 'last', '--unequal');
    expect(compared.stdout).toMatch(/4 streams +TPOT p50, ms/);
    expect(compared.stdout).toContain('there is no ITL');
  },
);
