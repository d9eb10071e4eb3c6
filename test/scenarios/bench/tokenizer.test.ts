import { dirname, join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { findTokenizer } from '../../../src/bench/tokenizer.ts';
import { openLocalTokenizer } from '../../../src/bench/local-tokenizer.ts';
import { localWorld } from '../../../src/io/local-world.ts';
import { seededRandom } from '../../../src/stats/random.ts';
import { words } from '../../../src/bench/prompts/words.ts';
import { bench } from '../../support/bench.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { randomModel, startReady } from '../../support/embedded.ts';
import type { Running } from '../../support/embedded.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';

let model: Awaited<ReturnType<typeof randomModel>>;
let engine: Running;
let place: Place;
beforeAll(async () => {
  model = await randomModel();
  engine = await startReady(model.path);
}, 120_000);
afterAll(async () => {
  engine.kill('SIGTERM');
  await engine.exited;
  model.remove();
});
beforeEach(() => (place = makePlace()));
afterEach(() => place.close());

test("a tokenizer.json counts every text as the engine's own /tokenize does", async () => {
  const url = `http://127.0.0.1:${engine.port}`;
  const world = localWorld();
  const theirs = await findTokenizer(world, url, 'random', null);
  const ours = await openLocalTokenizer(world, dirname(model.path));
  const random = seededRandom(5);
  const texts = Array.from({ length: 40 }, () =>
    Array.from({ length: 1 + random.below(30) }, () => words[random.below(words.length)]).join(' '),
  );
  for (const text of [...texts, 'wörd 🦊, 12345!', "it's\n\n  two  lines", '<b>', 'ﬁ ½ ἀλφα'])
    expect([text, await ours.count(text)]).toEqual([text, await theirs?.count(text)]);
});

test('where a server has no /tokenize prompts get their exact length by the file, and the report names it', async () => {
  const server = await startScriptedServer({ tokenize: false });
  try {
    const file = join(dirname(model.path), 'tokenizer.json');
    const args = [server.url, '--prompt-tokens', '60', '--max-requests', '3', '--tokenizer', file];
    const { report } = await bench(place, args);
    expect(report.server.tokenizer).toMatch(/tokenizer\.json \(SHA-256 [0-9a-f]{64}\)/);
    expect(report.server.notes.join(' ')).not.toContain('estimated');
    // Its own words count otherwise than the file's tokens do, and the run says so.
    expect(report.warnings.join(' ')).toContain('was counted as');
    const again = await bench(place, ['--again', 'last']);
    expect(again.report.server.tokenizer).toBe(report.server.tokenizer);
    const none = await bench(place, [server.url, '--prompt-tokens', '60', '--max-requests', '3']);
    expect(none.report.warnings.join(' ')).toContain('estimated');
  } finally {
    await server.close();
  }
});

test("the server's own count comes first, and a file that is no tokenizer is refused by name", async () => {
  const url = `http://127.0.0.1:${engine.port}`;
  const args = ['--prompt-tokens', '60', '--output-tokens', '2', '--max-requests', '3'];
  const { report } = await bench(place, [url, ...args, '--tokenizer', dirname(model.path)]);
  expect(report.server.tokenizer).toContain('/tokenize');
  const server = await startScriptedServer({ tokenize: false });
  try {
    const bad = join(model.folder, 'bad.json');
    writeFileSync(bad, '{"model":{"type":"Rhymes"}}');
    const ran = await place.berth('bench', server.url, ...args, '--tokenizer', bad);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('bad.json is no tokenizer')]);
  } finally {
    await server.close();
  }
});
