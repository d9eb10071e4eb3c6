import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOf, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { filesBelow, pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 120_000 });

const size = 100_000;
const source = 'hf://lab/tiny';

let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  for (const n of [1, 2]) hub.files.set(`m-0000${n}-of-00002.gguf`, contentOf(size, n));
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

function ofPart(path: string, n: number): Buffer {
  return readFileSync(path.replace('00001-of', `0000${n}-of`));
}

test('what its place has in a newer form is told, and fetched by --refresh, as far as it differs', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  expect((await place.berth('pull', source, '--json')).json()).toMatchObject([{ newer: false }]);
  hub.revision = 'beef';
  hub.files.set('m-00002-of-00002.gguf', contentOf(size, 7));
  const told = await place.berth('pull', source);
  expect(told.stdout).toContain('there already');
  expect(told.stdout).toContain('newer at its place, "berth pull --refresh" fetches that');
  expect((await place.berth('models', 'list', '--check')).stdout).toContain('newer at its place');
  expect(ofPart(path, 2).equals(contentOf(size, 2).read(0, size - 1))).toBe(true);

  // One that breaks off leaves the old form whole.
  hub.fault = () => ({ do: 'status', status: 404 });
  expect((await place.berth('pull', source, '--refresh')).code).toBe(1);
  expect(ofPart(path, 2).equals(contentOf(size, 2).read(0, size - 1))).toBe(true);
  expect((await place.berth('models', 'verify')).code).toBe(0);

  hub.fault = () => null;
  hub.asked.length = 0;
  const ran = await place.berth('pull', source, '--refresh', '--json');
  expect(ran.json()).toMatchObject([{ fetched: true, revision: 'beef' }]);
  expect(pathOf(ran)).toBe(path);
  expect(new Set(hub.asked.map((request) => request.path))).toEqual(new Set(['m-00002-of-00002.gguf']));
  expect(ofPart(path, 2).equals(contentOf(size, 7).read(0, size - 1))).toBe(true);
  expect((await place.berth('models', 'list', '--check')).stdout).not.toContain('newer');
  expect(filesBelow(join(place.folder, 'state/data/models/partial'))).toEqual([]);
  // What is the same by now is not fetched again.
  expect((await place.berth('pull', source, '--refresh', '--json')).json()).toMatchObject([
    { fetched: false },
  ]);
});

test('a place that does not answer is no reason against what is there', async () => {
  await place.berth('pull', source);
  hub.refuse = { status: 404, code: '' };
  const ran = await place.berth('pull', source, '--json');
  expect([ran.code, ran.json()]).toEqual([0, [expect.objectContaining({ fetched: false, newer: false })]]);
});
