import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import type { ScriptedServer } from '../../support/scripted-server.ts';

let place: Place;
let server: ScriptedServer;
beforeAll(async () => {
  place = makePlace();
  server = await startScriptedServer();
});
beforeEach(() => void (server.seen.length = 0));
afterAll(async () => {
  await place.close();
  await server.close();
});

async function prompts(...words: string[]): Promise<{ warmup: string[]; measured: string[] }> {
  const load = ['--streams', '2', '--max-requests', '12', '--no-calibrate', '--json'];
  const ran = await place.berth('bench', server.url, ...load, '--cache', 'warm', ...words);
  const [run] = (ran.json() as { runs: { folder: string; report: { spec: object } }[] }).runs;
  const lines = readFileSync(join(run?.folder ?? '', 'records.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const phases = lines.map((line) => JSON.parse(line) as { phase: string });
  const texts = server.bodies().map(({ messages }) => JSON.stringify(messages));
  const warm = phases.filter(({ phase }) => phase === 'warmup').length;
  expect(texts).toHaveLength(phases.length);
  return { warmup: texts.slice(0, warm), measured: texts.slice(warm) };
}

test('with a warm cache one prompt is sent again and again, from the warm-up on', async () => {
  const { warmup, measured } = await prompts('--prompt-tokens', '16');
  expect(warmup).toHaveLength(2);
  expect(measured).toHaveLength(12);
  expect(new Set([...warmup, ...measured]).size).toBe(1);
});

test('prompts of several lengths are few, and the warm-up has sent each of them', async () => {
  const { warmup, measured } = await prompts('--data', 'prompt_tokens=24,prompt_tokens_stdev=4');
  expect(warmup).toHaveLength(8);
  expect(new Set([...warmup, ...measured]).size).toBe(8);
  // The first measured request may overtake the last one of the warm-up on its way.
  expect(new Set([...warmup, ...measured.slice(0, 1)]).size).toBe(8);
});

test('how many different prompts there are can still be said', async () => {
  const { warmup, measured } = await prompts('--data', 'prompt_tokens=16,samples=3');
  expect(new Set([...warmup, ...measured]).size).toBe(3);
});
