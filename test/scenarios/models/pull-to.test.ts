import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOfBytes, startHub, sumOf } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { filesBelow } from './stored.ts';

let place: Place;
let hub: HubServer;

const one = contentOfBytes(Buffer.from('first'));
const other = contentOfBytes(Buffer.from('second'));

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

function at(...path: string[]): string {
  return join(place.folder, 'disk', ...path);
}

test('a quantization lies under the very name that is wanted, and nothing else stays of its fetch', async () => {
  hub.files.set('m.Q4_K_M.gguf', one);
  hub.files.set('m.Q5_K_M.gguf', other);
  const words = ['pull', 'hf://lab/tiny:Q5_K_M', '--to', 'disk/toy/m.gguf', '--mark', 'disk/toy/.done'];
  const ran = await place.berth(...words);
  expect([ran.code, ran.stdout], ran.stderr).toEqual([0, expect.stringContaining('fetched') as string]);
  expect(readFileSync(at('toy/m.gguf'), 'utf8')).toBe('second');
  expect(readdirSync(at('toy')).toSorted()).toEqual(['.done', 'm.gguf']);
  expect(filesBelow(join(place.folder, 'state/data/models'))).toEqual([]);
  // Whoever runs as another user opens it.
  expect(statSync(at('toy/m.gguf')).mode & 0o444).toBe(0o444);
  expect(statSync(at('toy')).mode & 0o555).toBe(0o555);
  const asked = hub.asked.length;
  expect((await place.berth(...words)).stdout).toContain('there already');
  expect(hub.asked.length).toBe(asked);
});

test('another model takes the place of one that lies there', async () => {
  for (const content of [one, other]) {
    hub.files.set('m.gguf', content);
    expect((await place.berth('pull', 'hf://lab/tiny/m.gguf', '--to', 'disk/m.gguf')).code).toBe(0);
  }
  expect(readFileSync(at('m.gguf'), 'utf8')).toBe('second');
  expect(readdirSync(at())).toEqual(['m.gguf']);
});

test('a repository keeps the names of its files below the folder', async () => {
  hub.files.set('config.json', contentOfBytes(Buffer.from('{"model_type":"llama"}')));
  hub.files.set('model.safetensors', one);
  const ran = await place.berth('pull', 'hf://lab/tiny', '--to', 'disk/tiny');
  expect(ran.code, ran.stderr).toBe(0);
  expect(filesBelow(at('tiny')).toSorted()).toEqual(['config.json', 'model.safetensors']);
});

test('a break loses no part that was there', async () => {
  const [head, tail] = ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf'] as const;
  hub.files.set(head, one);
  hub.files.set(tail, other);
  hub.fault = ({ path }) => (path === tail ? { do: 'status', status: 404 } : null);
  const source = 'hf://lab/tiny/m-00001-of-00002.gguf';
  const words = ['pull', source, '--to', `disk/${head}`, '--mark', 'disk/.done'];
  expect((await place.berth(...words)).code).toBe(1);
  expect(readdirSync(at())).toEqual([expect.stringMatching(/^\.berth-hf--/)]);
  hub.fault = () => null;
  const asked = hub.asked.length;
  expect((await place.berth(...words)).code).toBe(0);
  expect(hub.asked.slice(asked).map(({ path }) => path)).not.toContain(head);
  expect(readdirSync(at()).toSorted()).toEqual(['.done', head, tail]);
});

test('a sum that is stated and not met leaves nothing that could be believed', async () => {
  hub.files.set('m.gguf', one);
  const words = ['pull', 'hf://lab/tiny/m.gguf', '--to', 'disk/toy.gguf', '--mark', 'disk/.done', '--sum'];
  const wrong = await place.berth(...words, `toy.gguf=${'a'.repeat(64)}`);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toContain(
    `The SHA-256 of toy.gguf of hf://lab/tiny/m.gguf is ${sumOf(one)}, not aaaa`,
  );
  expect(readdirSync(at())).toEqual([]);
  expect((await place.berth(...words, `toy.gguf=${sumOf(one)}`)).code).toBe(0);
  expect((await place.berth(...words, `no.gguf=${sumOf(one)}`)).stdout).toContain('there already');
});

test.each([
  [
    ['hf://lab/tiny:Q4_K_M', '--to', 'disk/m.gguf'],
    'its 2 files are found by the name m-Q4_K_M-00001-of-00002.gguf',
  ],
  [['--to', 'disk', 'hf://lab/a', 'hf://lab/b'], '"--to" puts one model somewhere: name one.'],
  [['hf://lab/a', '--mark', 'disk/.done'], '"--mark" and "--sum" are for a model'],
  [['hf://lab/a', '--to', 'disk', '--sum', 'm.gguf=12'], 'It is FILE=SHA256'],
])('what cannot be put there is told: %s', async (words, told) => {
  hub.files.set('m-Q4_K_M-00001-of-00002.gguf', one);
  hub.files.set('m-Q4_K_M-00002-of-00002.gguf', other);
  const ran = await place.berth('pull', ...words);
  expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining(told) as string]);
});
