import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { contentOf, startHub } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import { filesBelow, pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 120_000 });

const size = 100_000;
const file = 'tiny.gguf.bin';
const source = `hf://lab/tiny/${file}`;

let place: Place;
let hubs: HubServer[];

beforeEach(async () => {
  place = makePlace();
  hubs = [await startHub(), await startHub()];
  for (const [edition, hub] of hubs.entries()) hub.files.set(file, contentOf(size, edition));
});

afterEach(async () => {
  await place.close();
  for (const hub of hubs) await hub.stop();
});

function store(...path: string[]): string {
  return join(place.folder, 'state/data/models', ...path);
}

function hub(number: number): HubServer {
  const found = hubs[number];
  if (!found) throw new Error('no such hub');
  return found;
}

async function pull(from: HubServer): Promise<{ path: string; fetched: boolean }> {
  place.env['HF_ENDPOINT'] = from.url;
  const ran = await place.berth('pull', source, '--json');
  const [pulled] = ran.json() as { fetched: boolean }[];
  return { path: pathOf(ran), fetched: pulled?.fetched ?? false };
}

/** Its name in a store that knew no endpoints. */
function plainFolder(shown: string): string {
  const sum = createHash('sha256').update(shown).digest('hex').slice(0, 10);
  return `${shown.replaceAll(/[^A-Za-z0-9._-]+/g, '--')}-${sum}`;
}

test('two mirrors that have other files under one name are two models, and each is found again', async () => {
  const first = await pull(hub(0));
  const second = await pull(hub(1));
  expect(second.path).not.toBe(first.path);
  for (const [edition, { path }] of [first, second].entries())
    expect(readFileSync(path).equals(contentOf(size, edition).read(0, size - 1))).toBe(true);
  expect(await pull(hub(0))).toEqual({ path: first.path, fetched: false });
  const listed = await place.berth('models', 'list');
  for (const { url } of hubs) expect(listed.stdout).toContain(`${source} from ${url}`);
  // What the fleet file names stays, from whichever mirror it came and whichever is set now.
  place.write(`version: 1\nfleet: lab\nmodels: {kept: {source: "${source}"}}\n`);
  delete place.env['HF_ENDPOINT'];
  await place.berth('models', 'prune', '--yes');
  expect(filesBelow(store('trees')).length).toBe(2);
});

test('what an older version fetched, which has no note of its mirror, is believed and not fetched anew', async () => {
  const { path } = await pull(hub(0));
  const [name = ''] = readdirSync(store('sources'));
  const record = JSON.parse(readFileSync(store('sources', name), 'utf8')) as Record<string, unknown>;
  // As it lay there: in the folder that knows the source alone.
  delete place.env['HF_ENDPOINT'];
  hub(1).files.clear();
  const folder = plainFolder(String(record['source']));
  delete record['endpoint'];
  renameSync(store('trees', String(record['folder'])), store('trees', folder));
  renameSync(store('sources', name), store('sources', `${folder}.json`));
  writeFileSync(store('sources', `${folder}.json`), JSON.stringify({ ...record, folder }));
  const again = await pull(hub(1));
  expect(again).toEqual({ path: store('trees', folder, file), fetched: false });
  expect(again.path).not.toBe(path);
  expect((await place.berth('models', 'verify')).code).toBe(0);
});

test('the same bytes from two addresses lie there once, also where no place tells their sum', async () => {
  const stores = [await startS3(null), await startS3(null)];
  try {
    const paths: string[] = [];
    for (const s3 of stores) {
      s3.objects.set('models/m/weights.bin', Buffer.alloc(5000, 7));
      Object.assign(place.env, {
        AWS_ENDPOINT_URL: s3.url,
        AWS_REGION: s3Keys.region,
        AWS_ACCESS_KEY_ID: s3Keys.id,
        AWS_SECRET_ACCESS_KEY: s3Keys.secret,
      });
      paths.push(pathOf(await place.berth('pull', 's3://models/m/weights.bin', '--json')));
    }
    expect(new Set(paths).size).toBe(2);
    expect(new Set(paths.map((path) => statSync(join(path, 'weights.bin')).ino)).size).toBe(1);
    expect(filesBelow(store('blobs')).length).toBe(1);
    expect(filesBelow(store('partial'))).toEqual([]);
  } finally {
    for (const s3 of stores) await s3.stop();
  }
});

test.each([
  ['hf://lab/tiny', 'HF_ENDPOINT', 'hub.lan', 'is no address of a web server'],
  ['hf://lab/tiny', 'HF_ENDPOINT', 'hub.lan:8080', 'is no address of a web server'],
  ['s3://models/m', 'AWS_ENDPOINT_URL', 'http://store lan', 'is no address of a web server'],
  ['s3://models/m', 'AWS_ENDPOINT_URL', 'ftp://store.lan', 'is no address of a web server'],
  ['s3://models/m', 'AWS_REGION', 'eu west', `is no region of Amazon's: "eu west"`],
])('what cannot be asked is told with the variable: %s by %s=%s', async (from, name, value, reason) => {
  place.env['HOME'] = place.folder;
  place.env[name] = value;
  for (const how of [['pull'], ['models', 'show']]) {
    const { code, stderr } = await place.berth(...how, from);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining(`berth: ${name} ${reason}.\nSet it to such as `),
    ]);
  }
  // What asks no place goes on.
  place.write(`version: 1\nfleet: lab\nmodels: {m: {source: "${from}"}}\n`);
  expect((await place.berth('models', 'list')).code).toBe(0);
  expect((await place.berth('validate')).code).toBe(0);
});

test('a file that a web server lacks is told without advice that is for the Hub', async () => {
  const { code, stderr } = await place.berth('pull', `${hub(0).url}/lab/none.gguf`);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/has no such file\.\nCheck the address\.\n/)]);
});
