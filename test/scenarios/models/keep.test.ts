import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { tryLock } from '../../../src/io/lock.ts';
import { makePlace, until } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { contentOf, startHub, sumOf } from '../../support/hub-server.ts';
import type { HubServer } from '../../support/hub-server.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import { ended, filesBelow, pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const size = 3 * 1024 * 1024 + 7;
const file = 'tiny-00001.bin';
const source = `hf://lab/tiny/${file}`;

let place: Place;
let hub: HubServer;

beforeEach(async () => {
  place = makePlace();
  hub = await startHub();
  hub.files.set(file, contentOf(size));
  place.env['HF_ENDPOINT'] = hub.url;
});

afterEach(async () => {
  await place.close();
  await hub.stop();
});

function store(...path: string[]): string {
  return join(place.folder, 'state/data/models', ...path);
}

function expectWhole(ran: Ran): void {
  expect(readFileSync(pathOf(ran)).equals(contentOf(size).read(0, size - 1))).toBe(true);
  expect(filesBelow(store('partial'))).toEqual([]);
}

test('what rots on the disk is found, taken out and fetched anew', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  const bytes = readFileSync(path);
  bytes[1000] = (bytes[1000] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const found = await place.berth('models', 'verify', '--json');
  expect(found.code).toBe(8);
  expect(found.json()).toEqual([{ source, damaged: [file] }]);
  expectWhole(await place.berth('pull', source, '--json'));
  expect((await place.berth('models', 'verify')).code).toBe(0);
});

test('verify of what the store does not hold says so', async () => {
  const ran = await place.berth('models', 'verify', source);
  expect([ran.code, ran.stderr]).toEqual([
    2,
    expect.stringContaining('"berth models list" names what it holds'),
  ]);
});

test('verify waits for whoever fetches the same model', async () => {
  await place.berth('pull', source);
  const [folder = ''] = readdirSync(store('trees'));
  const lock = await tryLock(`model ${store('trees', folder)}`, 'pull');
  const verify = place.spawn('models', 'verify');
  try {
    await until(() => verify.output().stderr.includes('waiting for it') || null, 'that it waits');
    expect(verify.child.exitCode).toBe(null);
  } finally {
    lock?.release();
  }
  expect(await verify.exited).toBe(0);
});

test('prune takes what the fleet file does not name, and nothing else', async () => {
  hub.files.set('other.bin', contentOf(1000, 9));
  await place.berth('pull', source, 'hf://lab/tiny/other.bin');
  place.write(`version: 1\nfleet: lab\nmodels: {kept: {source: "${source}"}}\n`);
  const shown = await place.berth('models', 'prune');
  expect(shown.stdout).toContain('Would go: 1 models, 1 files');
  expect(filesBelow(store('trees')).length).toBe(2);
  await place.berth('models', 'prune', '--yes');
  expect(filesBelow(store('trees'))).toEqual([file]);
  expect(filesBelow(store('blobs')).length).toBe(1);
  expectWhole(await place.berth('pull', 'kept', '--json'));
});

test('prune leaves what an engine on this machine is given, whatever the fleet file names', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  const engine = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', path]);
  try {
    const pruned = await place.berth('models', 'prune', '--all', '--yes');
    expect(pruned.stdout).toContain(
      `${source} stays: an engine, a container or a unit of this machine is given it.`,
    );
    expect(readFileSync(path).length).toBe(size);
    expect((await place.berth('models', 'verify')).code).toBe(0);
  } finally {
    engine.kill('SIGKILL');
    await ended(engine);
  }
  const after = await place.berth('models', 'prune', '--all', '--yes', '--json');
  expect(after.json()).toMatchObject({ used: [], blobs: 1, bytes: size });
  expect(filesBelow(store())).toEqual([]);
});

test('prune leaves what is given under a name of the user, and what a stopped unit will want', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  place.env['HOME'] = place.folder;
  const link = join(place.folder, 'mine.gguf');
  symlinkSync(path, link);
  const engine = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'mine.gguf'], {
    cwd: place.folder,
  });
  try {
    const pruned = await place.berth('models', 'prune', '--all', '--yes');
    expect(pruned.stdout).toContain(`${source} stays`);
  } finally {
    engine.kill('SIGKILL');
    await ended(engine);
  }
  const units = '.config/systemd/user';
  mkdirSync(join(place.folder, units), { recursive: true });
  place.write(`[Service]\nExecStart=/usr/bin/llama-server -m "${path}"\n`, `${units}/toy.service`);
  expect((await place.berth('models', 'prune', '--all', '--yes')).stdout).toContain(`${source} stays`);
  place.write('[Service]\nExecStart=/usr/bin/llama-server\n', `${units}/toy.service`);
  await place.berth('models', 'prune', '--all', '--yes');
  expect(filesBelow(store())).toEqual([]);
});

test('prune leaves what is being fetched, and takes all that a broken fetch left', async () => {
  hub.files.clear();
  for (const n of [1, 2]) hub.files.set(`m-0000${n}-of-00002.gguf`, contentOf(1000, n));
  hub.fault = ({ path }) => (path.includes('00002-of') ? { do: 'stall', after: 10 } : null);
  const first = place.spawn('pull', 'hf://lab/tiny');
  await until(() => filesBelow(store('trees'))[0], 'the first part');
  await until(() => filesBelow(store('partial'))[0], 'the second part on its way');
  await place.berth('models', 'prune', '--all', '--yes');
  expect(filesBelow(store('trees')).length).toBe(1);
  expect(filesBelow(store('blobs')).length).toBe(1);
  first.child.kill('SIGKILL');
  await first.exited;
  await place.berth('models', 'prune', '--all', '--yes');
  expect(filesBelow(store())).toEqual([]);
});

test('prune leaves what is still good of a damaged model that the fleet file names', async () => {
  hub.files.clear();
  for (const n of [1, 2, 3]) hub.files.set(`m-0000${n}-of-00003.gguf`, contentOf(1000, n));
  hub.files.set('other.bin', contentOf(1000, 9));
  const path = pathOf(await place.berth('pull', 'hf://lab/tiny', '--json'));
  await place.berth('pull', 'hf://lab/tiny/other.bin');
  place.write('version: 1\nfleet: lab\nmodels: {kept: {source: "hf://lab/tiny"}}\n');
  writeFileSync(path, Buffer.alloc(1000));
  expect((await place.berth('models', 'verify')).code).toBe(8);
  const pruned = await place.berth('models', 'prune', '--yes', '--json');
  expect(pruned.json()).toMatchObject({ blobs: 1, partials: 0, bytes: 1000 });
  const good = [2, 3].map((n) => `sha256-${sumOf(contentOf(1000, n))}`);
  expect(filesBelow(store('blobs')).toSorted()).toEqual(good.toSorted());
  const asked = hub.asked.length;
  pathOf(await place.berth('pull', 'kept', '--json'));
  const fetched = hub.asked.slice(asked).filter(({ host }) => host === 'store');
  expect(fetched.map((request) => request.path)).toEqual([expect.stringContaining('00001-of-00003')]);
});

test('prune leaves what a broken fetch of a model that the fleet file names has brought', async () => {
  hub.files.clear();
  for (const n of [1, 2]) hub.files.set(`m-0000${n}-of-00002.gguf`, contentOf(1000, n));
  hub.fault = ({ path }) => (path.includes('00002-of') ? { do: 'stall', after: 10 } : null);
  place.write('version: 1\nfleet: lab\nmodels: {kept: {source: "hf://lab/tiny"}}\n');
  const broken = place.spawn('pull', 'kept');
  await until(() => filesBelow(store('partial'))[0], 'the second part on its way');
  await until(() => filesBelow(store('trees'))[0], 'the first part');
  async function prune(): Promise<unknown[]> {
    const pruned = await place.berth('models', 'prune', '--yes', '--json');
    return [pruned.json(), filesBelow(store('blobs')).length, filesBelow(store('trees')).length];
  }
  const left = [expect.objectContaining({ blobs: 0, partials: 0 }), 1, 1];
  expect(await prune()).toEqual(left);
  broken.child.kill('SIGKILL');
  await broken.exited;
  expect(await prune()).toEqual(left);
});

test('what verify found damaged is not in the list until it was fetched anew', async () => {
  const path = pathOf(await place.berth('pull', source, '--json'));
  writeFileSync(path, Buffer.alloc(size));
  expect((await place.berth('models', 'verify')).code).toBe(8);
  const listed = (await place.berth('models', 'list', '--json')).json() as { models: unknown[] };
  expect(listed.models).toEqual([]);
});

test('after one damaged part of a model whose place tells no sums, that part alone is fetched anew', async () => {
  const s3 = await startS3(null);
  Object.assign(place.env, {
    AWS_ENDPOINT_URL: s3.url,
    AWS_REGION: s3Keys.region,
    AWS_ACCESS_KEY_ID: s3Keys.id,
    AWS_SECRET_ACCESS_KEY: s3Keys.secret,
  });
  const names = [1, 2, 3].map((n) => `part-0000${n}-of-00003.bin`);
  for (const [n, name] of names.entries()) s3.objects.set(`models/m/${name}`, Buffer.alloc(1000, n + 1));
  const fetched: string[] = [];
  s3.answer = ({ method, url = '', headers }) => {
    // Its head is asked for to learn its sum, one byte to learn whether it is still the same.
    if (method === 'GET' && url.includes('.bin') && headers.range !== 'bytes=0-0')
      fetched.push(url.slice(-20));
    return null;
  };
  async function spoil(...which: number[]): Promise<string[]> {
    const path = pathOf(await place.berth('pull', 's3://models/m', '--json'));
    for (const n of which) writeFileSync(join(path, names[n] ?? ''), Buffer.alloc(1000, 99));
    expect((await place.berth('models', 'verify')).code).toBe(8);
    fetched.length = 0;
    return names.map((name) => join(path, name));
  }
  try {
    const paths = await spoil(1);
    pathOf(await place.berth('pull', 's3://models/m', '--json'));
    expect(fetched).toEqual([names[1]?.slice(-20)]);
    expect(paths.map((path) => readFileSync(path)[0])).toEqual([1, 2, 3]);
    expect((await place.berth('models', 'verify')).code).toBe(0);

    // What its place has in another form since is fetched with it.
    await spoil(0);
    s3.objects.set(`models/m/${names[2]}`, Buffer.alloc(1000, 7));
    pathOf(await place.berth('pull', 's3://models/m', '--json'));
    expect(fetched).toEqual([0, 2].map((n) => names[n]?.slice(-20)));
    expect(paths.map((path) => readFileSync(path)[0])).toEqual([1, 2, 7]);
    await spoil(1);
    await place.berth('models', 'prune', '--all', '--yes');
    expect(filesBelow(store())).toEqual([]);
  } finally {
    await s3.stop();
  }
});
