import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace, ownPorts } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  const model = join(import.meta.dirname, '../../../examples/quickstart/model/berth-toy.Q8_0.gguf');
  hub.files.set('toy.gguf', contentOfBytes(readFileSync(model)));
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await hub.stop();
});

test('a model of the Hub is pulled and served: from its name in the file to an engine that answers', async () => {
  place.write(`version: 1
fleet: lab
${ownPorts()}
models: {toy: {source: "hf://lab/tiny/toy.gguf"}}
deployments:
  toy: {model: toy, engine: {kind: embedded, slots: 1, context: 512}}
`);
  const before = await place.berth('plan');
  expect(before.stdout + before.stderr).toContain('hf://lab/tiny/toy.gguf has not been fetched');
  expect(before.stdout + before.stderr).toContain('berth pull toy');
  expect((await place.berth('pull')).code).toBe(0);
  const applied = await place.berth('apply', '--yes');
  expect(applied.code, applied.stderr).toBe(0);
  const status = await place.berth('status', '--json');
  expect(status.stdout).toContain('"ready"');
  const again = await place.berth('plan', '--json');
  expect(again.json()).toMatchObject({ actions: [{ do: 'keep' }] });
});
