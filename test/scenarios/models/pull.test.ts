import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statfsSync, statSync, truncateSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { partBytes } from '../../../src/io/download/parts.ts';
import { makePlace, until } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { contentOf, contentOfBytes, startHub, sumOf } from '../../support/hub-server.ts';
import type { HubRequest, HubServer } from '../../support/hub-server.ts';
import { ended, filesBelow, pathOf } from './stored.ts';

vi.setConfig({ testTimeout: 300_000 });

const mi = 1024 * 1024;
const size = 2 * partBytes + 5 * mi + 7;
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

async function expectWhole(ran: Ran, edition = 0): Promise<void> {
  const path = pathOf(ran);
  expect(readFileSync(path).equals(contentOf(size, edition).read(0, size - 1))).toBe(true);
  expect(filesBelow(store('partial'))).toEqual([]);
}

/** The first request for a part goes wrong, all others go well. */
function once(part: number, fault: ReturnType<HubServer['fault']>): HubServer['fault'] {
  let done = false;
  return (request: HubRequest) => {
    if (done || Math.floor((request.range?.from ?? 0) / partBytes) !== part) return null;
    done = true;
    return fault;
  };
}

test('a model is fetched in parallel ranges, kept once, and not asked for again', async () => {
  await expectWhole(await place.berth('pull', source, '--json'));
  const ranges = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range?.from);
  expect(new Set(ranges)).toEqual(new Set([0, partBytes, 2 * partBytes]));
  expect(ranges.length).toBe(3);
  const asked = hub.asked.length;
  const again = await place.berth('pull', source, '--json');
  expect(again.json()).toMatchObject([{ fetched: false, revision: 'c0ffee', licence: 'apache-2.0' }]);
  expect(hub.asked.length).toBe(asked);
  // The same content under another name is linked, not fetched.
  hub.files.set('copy.bin', contentOf(size));
  const copy = pathOf(await place.berth('pull', 'hf://lab/tiny/copy.bin', '--json'));
  expect(hub.asked.length).toBe(asked);
  expect(statSync(copy).ino).toBe(statSync(store('blobs', `sha256-${sumOf(contentOf(size))}`)).ino);
});

test.each([
  ['is cut', once(1, { do: 'cut', after: 3 * mi })],
  ['is cut at its first byte, twice over', once(0, { do: 'cut', after: 0 })],
  ['is busy', once(2, { do: 'status', status: 503, headers: { 'retry-after': '0' } })],
  ['has a signed address that ended', once(1, { do: 'status', status: 403 })],
  ['lies about a range', once(1, { do: 'lie' })],
  ['knows no ranges', () => ({ do: 'no-ranges' }) as const],
  ['sends wrong bytes', once(1, { do: 'wrong-bytes' })],
])('a server that %s still gives the right file', async (_what, fault) => {
  hub.fault = fault;
  const ran = await place.berth('pull', source, '--json');
  expect(ran.json()).toMatchObject([{ fetched: true }]);
  await expectWhole(ran);
});

test('a file that changes midway is begun anew, and is never a mixture', async () => {
  const before = hub.files.get(file);
  let requests = 0;
  hub.fault = () => {
    requests += 1;
    if (requests === 2) hub.files.set(file, contentOf(size, 1));
    return null;
  };
  const ran = await place.berth('pull', source);
  // The list said the old sum: what lies there now is refused, and the next call lists it anew.
  expect(ran.code).toBe(1);
  expect(ran.stderr).toMatch(/changed while it was fetched|wrong bytes/);
  expect(filesBelow(store('trees'))).toEqual([]);
  expect(before?.size).toBe(size);
  hub.fault = () => null;
  await expectWhole(await place.berth('pull', source, '--json'), 1);
});

test('after a wrong sum all comes in ranges again, and from front to back only where it came otherwise then', async () => {
  let requests = 0;
  // Of three ranges the first time, and three the second.
  hub.fault = () => ((requests += 1) <= 4 ? { do: 'wrong-bytes' } : null);
  const ran = await place.berth('pull', source, '--json');
  await expectWhole(ran);
  const ranges = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range !== null);
  expect(ranges).toEqual([true, true, true, true, true, true, false]);
});

test.each([503, 429])('a hub whose list answers %i twice is asked again', async (status) => {
  hub.refuse = { status, code: '', times: 2 };
  await expectWhole(await place.berth('pull', source, '--json'));
  expect(hub.refused).toBe(2);
});

test('what can never fit is told before it is fetched, also where no list tells its size', async () => {
  hub.files.set('vast.bin', { ...contentOf(0), size: 2 ** 49, read: contentOf(0).read });
  const ran = await place.berth('pull', `${hub.url}/lab/tiny/resolve/main/vast.bin`);
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('are needed, ')]);
  expect(hub.asked.map(({ range }) => range)).toEqual([
    { from: 0, to: 0 },
    { from: 0, to: 0 },
  ]);
  expect(filesBelow(store('partial'))).toEqual([]);
});

test('models that do not fit together are told before the first of them is fetched', async () => {
  const { bavail, bsize } = statfsSync(place.folder);
  const most = Math.floor(0.6 * bavail * bsize);
  for (const [at, name] of ['one.gguf', 'two.gguf'].entries()) {
    hub.files.set(name, { ...contentOf(0), size: most + at });
    hub.sums.set(name, String(at).repeat(64));
  }
  const ran = await place.berth('pull', 'hf://lab/tiny/one.gguf', 'hf://lab/tiny/two.gguf');
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('are needed, ')]);
  expect(hub.asked).toEqual([]);
  // What lies there once counts once, and what is there already does not count.
  hub.sums.set('two.gguf', '0'.repeat(64));
  hub.files.set(file, contentOf(size));
  await expectWhole(await place.berth('pull', source, source, '--json'));
});

test('without a name a model is not fetched that clusters alone serve, whose Secret nobody here has', async () => {
  place.write(`version: 1
fleet: lab
hosts: {k: {kubernetes: {context: k}}, box: {local: true}}
secrets: {hub: {secretRef: {name: hub, key: HF_TOKEN}}}
models:
  far: {source: "hf://lab/far", secret: hub}
  both: {source: "${source}"}
deployments:
  a: {host: k, model: far, engine: {kind: vllm}, target: {kind: kubernetes}}
  b: {host: k, model: both, engine: {kind: vllm}, target: {kind: kubernetes}}
  c: {host: box, model: both, engine: {kind: vllm, binary: /opt/vllm}}
`);
  const ran = await place.berth('pull', '--json');
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.json()).toMatchObject([{ source, fetched: true }]);
});

test('so are those that are fetched anew, as newer or as broken, and what is as it was needs no room', async () => {
  const names = ['one.bin', 'two.bin', 'three.bin'];
  for (const [at, name] of names.entries()) hub.files.set(name, contentOf(100_000, at));
  const sources = names.map((name) => `hf://lab/tiny/${name}`);
  const ran = await place.berth('pull', ...sources, '--json');
  const paths = (ran.json() as { path: string }[]).map(({ path }) => path);
  // One list each, by which it is fetched as well.
  expect(hub.lists).toBe(3);
  hub.asked.length = 0;
  hub.revision = 'beef';
  hub.files.set('one.bin', contentOf(100_000, 7));
  hub.files.set('two.bin', { ...contentOf(0), size: 2 ** 49 });
  hub.sums.set('two.bin', '2'.repeat(64));
  const newer = await place.berth('pull', '--refresh', ...sources);
  expect([newer.code, newer.stderr]).toEqual([1, expect.stringContaining('are needed, ')]);
  expect(hub.asked).toEqual([]);

  // What lies in the store by that sum has another length.
  hub.sums.set('two.bin', sumOf(contentOf(100_000, 1)));
  truncateSync(paths[1] ?? '', 10);
  const broken = await place.berth('pull', 'hf://lab/tiny/four.bin', sources[1] ?? '');
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('are needed, ')]);
  expect(hub.asked).toEqual([]);
  hub.lists = 0;
  const fetched = await place.berth('pull', '--refresh', sources[0] ?? '', sources[2] ?? '', '--json');
  expect((fetched.json() as { fetched: boolean }[]).map((one) => one.fetched)).toEqual([true, false]);
  expect(hub.lists).toBe(2);
});

test('a file that always has wrong bytes is refused, and nothing of it is kept', async () => {
  hub.sums.set(file, 'a'.repeat(64));
  const ran = await place.berth('pull', source);
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(
    `wrong bytes: sha256 ${sumOf(contentOf(size))} in place of sha256 ${'a'.repeat(64)}`,
  );
  expect([
    ...filesBelow(store('trees')),
    ...filesBelow(store('blobs')),
    ...filesBelow(store('partial')),
  ]).toEqual([]);
});

test('a small file that git has, and not LFS, is held against its name there', async () => {
  const text = Buffer.from('{"model_type": "llama"}\n');
  hub.files.set('config.json', contentOfBytes(text));
  // What `git hash-object` says of it.
  const name = createHash('sha1').update(`blob ${text.length}\0`).update(text).digest('hex');
  hub.gitNames.set('config.json', name);
  hub.fault = ({ path }) => (path === 'config.json' ? { do: 'wrong-bytes' } : null);
  const refused = await place.berth('pull', 'hf://lab/tiny/config.json');
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`in place of git ${name}`)]);
  expect(filesBelow(store('blobs'))).toEqual([]);
  hub.fault = () => null;
  const ran = await place.berth('pull', 'hf://lab/tiny/config.json', '--json');
  expect(readFileSync(pathOf(ran)).equals(text)).toBe(true);
});

test('what kill -9 interrupts goes on: less than one part is fetched again', async () => {
  hub.fault = ({ range }) => ((range?.from ?? 0) >= partBytes ? { do: 'stall', after: 2 * mi } : null);
  const first = place.spawn('pull', source, '--json');
  const partial = await until(
    () => filesBelow(store('partial')).find((name) => name.endsWith('.parts')),
    'the first bytes',
  );
  await until(() => gathered(partial) >= partBytes + mi, 'one part and some of the others');
  first.child.kill('SIGKILL');
  await first.exited;
  const have = gathered(partial);
  hub.fault = () => null;
  hub.asked.length = 0;
  await expectWhole(await place.berth('pull', source, '--json'));
  const asked = hub.asked
    .filter(({ host }) => host === 'store')
    .map(({ range }) => (range ? range.to - range.from + 1 : size));
  const total = asked.reduce((sum, length) => sum + length, 0);
  expect(total).toBe(size - have);
});

/** Bytes that the book of a file on its way counts. */
function gathered(name: string): number {
  const [folder = ''] = readdirSync(store('partial'));
  const book = readFileSync(store('partial', folder, name));
  let sum = 0;
  for (let at = 4096; at < book.length; at += 4) sum += book.readUInt32LE(at);
  return sum;
}

test('two pulls of one model at once do the work once', async () => {
  const both = await Promise.all([
    place.berth('pull', source, '--json'),
    place.berth('pull', source, '--json'),
  ]);
  for (const ran of both) await expectWhole(ran);
  const fetched = both.flatMap((ran) => ran.json() as { fetched: boolean }[]).map((one) => one.fetched);
  expect(fetched.filter(Boolean)).toEqual([true]);
  expect(hub.asked.filter(({ host }) => host === 'store').length).toBe(3);
});

test('a token goes to the hub, and not to where it redirects', async () => {
  place.env['HF_TOKEN'] = 'hf_canary_81f3';
  const ran = await place.berth('pull', source, '--json');
  await expectWhole(ran);
  expect(new Set(hub.asked.map(({ host, headers }) => `${host} ${headers.authorization}`))).toEqual(
    new Set(['hub Bearer hf_canary_81f3', 'store undefined']),
  );
  expect(ran.stdout + ran.stderr).not.toContain('canary');
});

test.each([
  [401, '', 1, 'Set HF_TOKEN'],
  [403, 'GatedRepo', 1, 'only to accounts that have accepted its terms'],
  [404, 'RepoNotFound', 1, 'does not exist'],
  [404, 'RevisionNotFound', 1, 'has no revision main'],
  [429, '', 1, 'had enough of our requests'],
])('a hub that answers %i %s is explained', async (status, code, exit, said) => {
  hub.refuse = { status, code };
  const ran = await place.berth('pull', source);
  expect(ran.code).toBe(exit);
  expect(ran.stderr).toContain(said);
});

test('a quantization picks its file, and what is not clear is asked', async () => {
  hub.files.clear();
  for (const name of ['m-Q4_K_M.gguf', 'm-Q8_0.gguf', 'mmproj-F16.gguf', 'README.md'])
    hub.files.set(name, contentOf(100));
  const chosen = pathOf(await place.berth('pull', 'hf://lab/tiny:q8_0', '--json'));
  expect(chosen.endsWith('/m-Q8_0.gguf')).toBe(true);
  hub.files.delete('m-Q4_K_M.gguf');
  hub.files.set('m-Q5_K_M.gguf', contentOf(100));
  const asked = await place.berth('pull', 'hf://lab/tiny');
  expect(asked.code).toBe(2);
  expect(asked.stderr).toContain('Q8_0, Q5_K_M');
});

test.each([
  ['Q4_0', 'm-Q4_0.gguf'],
  ['q4_0_4_4', 'm-Q4_0_4_4.gguf'],
  ['Q2_K', 'm-Q2_K.gguf'],
  ['UD-Q2_K_XL', 'm-UD-Q2_K_XL.gguf'],
  ['Q2_K_XL', 'm-UD-Q2_K_XL.gguf'],
  ['Q5_K_M', 'Q5_K_M/m-00001-of-00001.gguf'],
  ['IQ4_XS', 'm_IQ4_XS_imat.gguf'],
])('the quantization %s is the one of that very name', async (quant, name) => {
  hub.files.clear();
  const names = ['m-Q4_0_4_4.gguf', 'm-Q4_0.gguf', 'm-Q2_K_L.gguf', 'm-Q2_K.gguf', 'm-UD-Q2_K_XL.gguf'];
  for (const one of [...names, 'Q5_K_M/m-00001-of-00001.gguf', 'm_IQ4_XS_imat.gguf'])
    hub.files.set(one, contentOf(100));
  const chosen = pathOf(await place.berth('pull', `hf://lab/tiny:${quant}`, '--json'));
  expect(chosen.endsWith(`/${name}`), chosen).toBe(true);
});

test('a part of the name of a quantization is none, and a quantization counts within a folder too', async () => {
  hub.files.clear();
  for (const name of ['a/m-Q4_K_M.gguf', 'a/m-Q8_0.gguf']) hub.files.set(name, contentOf(100));
  const none = await place.berth('pull', 'hf://lab/tiny:Q4_K');
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('There is: Q4_K_M, Q8_0.')]);
  const chosen = pathOf(await place.berth('pull', 'hf://lab/tiny/a:Q8_0', '--json'));
  expect(chosen.endsWith('/a/m-Q8_0.gguf'), chosen).toBe(true);
});

test('of a split model all parts come, and it is given by its first', async () => {
  hub.files.clear();
  for (const n of [1, 2, 3]) hub.files.set(`q/m-Q4_0-0000${n}-of-00003.gguf`, contentOf(1000, n));
  const path = pathOf(await place.berth('pull', 'hf://lab/tiny:Q4_0', '--json'));
  expect(path.endsWith('/q/m-Q4_0-00001-of-00003.gguf')).toBe(true);
  expect(readdirSync(join(path, '..')).length).toBe(3);
});

test('no error shows what may be secret in an address', async () => {
  const said = [];
  for (const address of [
    'ftp://someone:canary-1@host/m.gguf',
    'https://someone:canary-2@127.0.0.1:1/',
    'https://someone:canary-3@127.0.0.1:1/%2e%2e%2fm.gguf?X-Amz-Signature=canary-4',
    `${hub.url.replace('//', '//someone:canary-5@')}/%zz.gguf?sig=canary-6`,
    'hf://someone:canary-7@lab/tiny',
  ])
    for (const how of [
      ['pull', address, '--json'],
      ['models', 'show', address],
      ['models', 'verify', address],
    ]) {
      const ran = await place.berth(...how);
      expect(ran.stderr + ran.stdout, address).not.toMatch(/internal|INTERNAL/);
      said.push(ran.stderr + ran.stdout);
    }
  place.env['HF_ENDPOINT'] = hub.url.replace('//', '//someone:canary-8@');
  hub.refuse = { status: 403, code: 'GatedRepo' };
  for (const status of [403, 500]) {
    hub.refuse = { status, code: status === 403 ? 'GatedRepo' : '' };
    said.push((await place.berth('pull', source, '--json')).stdout);
    said.push((await place.berth('pull', source)).stderr);
  }
  expect(said.join('\n')).not.toContain('canary');
});

test('a file that may not grow is told as a fault of this machine, and nothing of it is believed', async () => {
  const limited = spawn(
    'bash',
    ['-c', 'ulimit -f 4096; exec "$0" "$@"', process.execPath, resolve('bin/berth.js'), 'pull', source],
    { cwd: place.folder, env: place.env },
  );
  let stderr = '';
  limited.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  await ended(limited);
  expect([limited.exitCode, stderr]).toEqual([1, expect.stringContaining('no file may be that large there')]);
  expect([...filesBelow(store('trees')), ...filesBelow(store('blobs'))]).toEqual([]);
  await expectWhole(await place.berth('pull', source, '--json'));
});
