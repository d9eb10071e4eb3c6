import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { KeyFile, KeyView, NewKey } from '../../src/domain/key-record.ts';
import type { KeySpent } from '../../src/domain/key-usage.ts';
import { chatEvent, startFakeUpstream, wellBehaved } from '../gateway/fake-upstream.ts';
import type { FakeUpstream, Turn } from '../gateway/fake-upstream.ts';
import { postChat } from '../gateway/harness.ts';
import { makePlace, until } from '../support/berth.ts';
import type { Place } from '../support/berth.ts';

vi.setConfig({ testTimeout: 300_000 });

let place: Place;
let upstream: FakeUpstream;
let id: string;

beforeEach(async () => {
  id = randomBytes(8).toString('hex');
  place = makePlace();
  upstream = await startFakeUpstream(wellBehaved);
});

afterEach(async () => {
  await place.berth('down');
  await place.close();
  await upstream.stop();
});

/** A gateway in front of one server elsewhere, under the routes "far" and "m", its alias. */
function fleet(gateway = ''): string {
  return `version: 1
fleet: lab
id: "${id}"
gateway:
  listen: ["127.0.0.1:0"]
  routes: {far: {to: far, aliases: [m]}, dear: far}
${gateway}
console: {listen: "127.0.0.1:0"}
deployments:
  far: {engine: {kind: openai, url: "${upstream.url}/v1", servedModel: far}}
`;
}

async function up(...args: string[]): Promise<string> {
  const started = await place.berth('up', '--detach', '--json', ...args);
  expect(started.code, started.stderr).toBe(0);
  return (started.json() as { gateway: { url: string } }).gateway.url;
}

async function add(...args: string[]): Promise<NewKey> {
  const added = await place.berth('keys', 'add', ...args, '--json');
  expect(added.code, added.stderr).toBe(0);
  return added.json();
}

function keysFile(): string {
  const [folder = ''] = readdirSync(join(place.folder, 'state/state')).filter((name) =>
    name.startsWith('lab'),
  );
  return join(place.folder, 'state/state', folder, 'keys.json');
}

function kept(): KeyFile {
  return JSON.parse(readFileSync(keysFile(), 'utf8')) as KeyFile;
}

async function ask(url: string, key?: string, model = 'm'): Promise<number> {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await postChat(url, { model }, { headers })).status;
}

test('a key is printed once, alone on stdout, and kept as a hash that its user alone can read', async () => {
  place.write(fleet());
  const added = await place.berth('keys', 'add', 'laptop');
  expect(added.code, added.stderr).toBe(0);
  expect(added.stdout).toMatch(/^sk-berth-[\w-]{43}\n$/);
  expect(statSync(keysFile()).mode & 0o777).toBe(0o600);
  expect(readFileSync(keysFile(), 'utf8')).not.toContain(added.stdout.trim());
  const listed = await place.berth('keys', 'list');
  expect(listed.stdout).toMatch(/laptop +key-[0-9a-f]{12} +active .*never +all/);
  expect(listed.stdout + added.stderr).not.toContain(added.stdout.trim());
});

test('what cannot be a key is refused with the reason, and the file stays as it is', async () => {
  place.env['FILE_KEY'] = 'x';
  place.write(fleet('  keys: {named: "${env:FILE_KEY}"}'));
  await add('laptop');
  const before = readFileSync(keysFile(), 'utf8');
  const refused: [string[], string][] = [
    [['add', 'laptop'], 'There is a key "laptop" already.'],
    [['add', 'named'], 'There is a key "named" already, in the fleet file.'],
    [['add', 'berth-console'], "kept for berth's own keys"],
    [['add', 'a b'], 'A name has up to 63 letters'],
    [['add', 'x', '--model', 'fat'], 'there is no route of the gateway "fat"; did you mean "far"?'],
    [['add', 'x', '--model', 'far', '--model', 'fal'], 'made: --model fal: there is no route'],
    [['add', 'x', '--endpoint', '/v1/embedding'], 'did you mean "/v1/embeddings"?'],
    [['add', 'x', '--endpoint', 'v1'], 'made: --endpoint v1: A path begins with /.'],
    [
      ['add', 'x', '--expires', '2020-01-01T00:00:00Z'],
      'made: --expires 2020-01-01T00:00:00Z: it would have expired already.',
    ],
    [
      ['add', 'x', '--rpm', 'many', '--day-usd=-1', '--month-tokens', '1.5', '--priority', 'top'],
      'made: --rpm many: a whole number of at least 1 is wanted; ' +
        '--day-usd -1: a number above 0 is wanted; --month-tokens 1.5: a whole number of at least 1 is wanted; ' +
        '--priority top: high, normal or low is wanted.',
    ],
    [['rotate', 'laptob'], 'There is no key "laptob".'],
    [['revoke', 'named'], 'stands in the fleet file'],
  ];
  for (const [args, reason] of refused) {
    const ran = await place.berth('keys', ...args);
    expect([ran.code, ran.stdout], args.join(' ')).toEqual([2, '']);
    expect(ran.stderr).toContain(reason);
  }
  expect(readFileSync(keysFile(), 'utf8')).toBe(before);
});

test('of each key is told what of its budget is spent, and where nobody counts it that it is not known', async () => {
  place.write(fleet('  prices: {far: {input: 1, output: 1}}'));
  const guest = await add('guest', '--day-tokens', '1000', '--month-usd', '2');
  await add('laptop');
  const before = await place.berth('keys', 'list');
  expect(before.stdout).toMatch(/^guest .* not known$/m);
  expect(before.stdout).toContain('What was spent is not known: no gateway runs.');
  const url = await up();
  expect((await place.berth('keys', 'list')).stdout).toMatch(/day 0 of 1000 tokens, month 0 of 2 usd$/m);
  expect(await ask(url, guest.key, 'far')).toBe(200);
  const spent = /^guest .* day ([1-9]\d*) of 1000 tokens, month (0\.0*[1-9]\d*) of 2 usd$/m;
  // It is counted when the answer has ended.
  const [, tokens, usd] = await until(
    async () => spent.exec((await place.berth('keys', 'list')).stdout),
    'it to be counted',
  );
  expect(Number(usd)).toBeCloseTo(Number(tokens) / 1e6, 5);
  const { keys, spentUnknown } = (await place.berth('keys', 'list', '--json')).json() as {
    keys: (KeyView & { spent: KeySpent })[];
    spentUnknown: string | null;
  };
  expect(spentUnknown).toBeNull();
  expect(keys.map(({ name, spent: { day } }) => [name, day.tokens])).toEqual([
    ['guest', Number(tokens)],
    ['laptop', 0],
  ]);
});

test('a key that has expired gets no new secret, which would let nobody in', async () => {
  place.write(fleet());
  await add('brief', '--expires', '1s');
  await until(
    async () => (await place.berth('keys', 'list')).stdout.includes('expired') || null,
    'it to expire',
  );
  const before = readFileSync(keysFile(), 'utf8');
  const ran = await place.berth('keys', 'rotate', 'brief', '--grace', '1d');
  expect([ran.code, ran.stdout]).toEqual([2, '']);
  expect(ran.stderr).toMatch(/The key "brief" expired at .*\n.*berth keys revoke brief/);
  expect(readFileSync(keysFile(), 'utf8')).toBe(before);
});

test('scopes, limits and expiry are kept with the key', async () => {
  place.write(fleet());
  const made = await add(
    'guest',
    ...'--model far --endpoint /v1/embeddings --expires 30d --rpm 20 --day-usd 1.5'.split(' '),
  );
  expect(made).toMatchObject({
    models: ['far'],
    endpoints: ['/v1/embeddings'],
    limits: { rpm: 20, budget: { day: { usd: 1.5 } } },
    running: false,
  });
  const days = (Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt ?? '')) / 86_400_000;
  expect(days).toBeCloseTo(30, 3);
  const { keys } = (await place.berth('keys', 'list', '--json')).json() as { keys: KeyView[] };
  expect(keys).toMatchObject([{ name: 'guest', source: 'made', state: 'active', limits: { rpm: 20 } }]);
  expect(JSON.stringify(keys)).not.toMatch(/sha256|[0-9a-f]{64}/);
});

test('a running gateway takes changes in at once: added, rotated with grace, revoked, and no door is left open', async () => {
  place.env['FILE_KEY'] = 'from-the-file';
  place.write(fleet());
  const url = await up();
  expect(await ask(url)).toBe(200);

  const laptop = await add('laptop');
  const guest = await add('guest', '--model', 'far');
  expect(await ask(url)).toBe(401);
  expect([await ask(url, laptop.key), await ask(url, laptop.key, 'dear')]).toEqual([200, 200]);
  expect([await ask(url, guest.key), await ask(url, guest.key, 'dear')]).toEqual([200, 403]);

  const turned = (await place.berth('keys', 'rotate', 'laptop', '--grace', '1h', '--json')).json() as NewKey;
  expect([await ask(url, laptop.key), await ask(url, turned.key)]).toEqual([200, 200]);
  const again = (await place.berth('keys', 'rotate', laptop.id, '--json')).json() as NewKey;
  expect(again.id).toBe(laptop.id);
  expect([await ask(url, laptop.key), await ask(url, turned.key), await ask(url, again.key)]).toEqual([
    401, 401, 200,
  ]);

  const held: Turn[] = [];
  upstream.setScript((turn) => {
    held.push(turn);
    turn.stream();
    turn.chunk(chatEvent('begun'));
  });
  const stream = await postChat(url, { stream: true }, { headers: { authorization: `Bearer ${again.key}` } });
  const revoked = await place.berth('keys', 'revoke', 'laptop');
  expect([revoked.code, revoked.stdout], revoked.stderr).toEqual([0, '']);
  expect(await ask(url, again.key)).toBe(401);
  held[0]?.chunk(chatEvent('finished'));
  held[0]?.endChunks();
  expect(await stream.text()).toContain('finished');

  upstream.setScript(wellBehaved);
  expect((await place.berth('keys', 'revoke', 'guest')).code).toBe(0);
  expect(await ask(url)).toBe(401);
  expect(kept().keys).toEqual([]);
});

test('keys of the file and made keys hold side by side, and one name for both is told with its place', async () => {
  writeKey('from-the-file');
  place.write(fleet(`  keys: {named: "\${file:${join(place.folder, 'named key')}}"}`));
  const made = await add('laptop');
  const url = await up();
  expect([await ask(url, 'from-the-file'), await ask(url, made.key), await ask(url)]).toEqual([
    200, 200, 401,
  ]);
  place.write(fleet(`  keys: {laptop: "\${file:${join(place.folder, 'named key')}}"}`));
  const faulty = await place.berth('validate');
  expect(faulty.code).toBe(2);
  expect(faulty.stderr).toMatch(/berth\.yaml:7:10: gateway\.keys\.laptop: A key "laptop" was made/);
});

function writeKey(text: string): void {
  place.write(text, 'named key');
}

test('the master key of the file opens the control paths, is bounded by nothing, and is no name for another', async () => {
  Object.assign(place.env, { LAPTOP_KEY: 'sk-laptop', MASTER_KEY: 'sk-master' });
  const master = '  masterKey: "${env:MASTER_KEY}"';
  place.write(fleet(`  keys: {laptop: "\${env:LAPTOP_KEY}"}\n${master}\n  limits: {eachKey: {rpm: 1}}`));
  const url = await up();
  async function running(key?: string): Promise<number> {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    return (await fetch(`${url}/running`, { headers })).status;
  }
  expect([await running(), await running('sk-laptop'), await running('sk-master')]).toEqual([401, 403, 200]);
  expect([await ask(url, 'sk-laptop'), await ask(url, 'sk-laptop')]).toEqual([200, 429]);
  for (let i = 0; i < 3; i += 1) expect(await ask(url, 'sk-master', 'dear')).toBe(200);
  const listed = (await place.berth('keys', 'list', '--json')).json() as { keys: KeyView[] };
  expect(listed.keys.map(({ name, source, control }) => [name, source, control])).toEqual([
    ['laptop', 'file', false],
    ['master', 'file', true],
  ]);
  for (const args of [
    ['add', 'master'],
    ['revoke', 'master'],
  ]) {
    const refused = await place.berth('keys', ...args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining('fleet file')]);
  }
  place.write(fleet(`  keys: {master: "\${env:LAPTOP_KEY}"}\n${master}`));
  const twice = await place.berth('validate');
  expect([twice.code, twice.stderr]).toEqual([2, expect.stringContaining('is called "master" too')]);
});

test('commands at the same time lose no key, and one that is killed leaves a file that is whole', async () => {
  place.write(fleet());
  await add('first');
  const names = ['a', 'b', 'c', 'd'];
  const doomed = place.spawn('keys', 'add', 'doomed');
  const adding = names.map((name) => place.berth('keys', 'add', name));
  await until(() => kept().keys.length > 1, 'the second key');
  doomed.child.kill('SIGKILL');
  for (const ran of await Promise.all(adding)) expect(ran.code, ran.stderr).toBe(0);
  await doomed.exited;
  expect(
    kept()
      .keys.map((key) => key.name)
      .filter((name) => name !== 'doomed')
      .toSorted(),
  ).toEqual([...names, 'first']);
  expect((await place.berth('keys', 'revoke', 'first')).code).toBe(0);
});

test('a damaged file of keys is told, and is not written over', async () => {
  place.write(fleet());
  await add('laptop');
  place.write('{"version": 1, "keys"', keysFile().slice(place.folder.length + 1));
  for (const args of [['keys', 'list'], ['keys', 'add', 'other'], ['up']]) {
    const ran = await place.berth(...args);
    expect(ran.code, args.join(' ')).toBe(1);
    expect(ran.stderr).toContain('cannot be read: it is not JSON');
  }
  expect(readFileSync(keysFile(), 'utf8')).toBe('{"version": 1, "keys"');
});

const doors: readonly [title: string, gateway: string, args: string[], fault: RegExp][] = [
  [
    'nothing said',
    '',
    [],
    /berth\.yaml:5:12: gateway\.listen\.0: The gateway would be open to the network at 0\.0\.0\.0/,
  ],
  ['the command line alone', '', ['--allow-anonymous'], /would be open to the network/],
  [
    'the file alone',
    '  allowAnonymous: true',
    [],
    /berth\.yaml:7:19: .*is to be said twice.*\n.*--allow-anonymous/,
  ],
];

test.each(doors)(
  'without keys an address that others can reach is refused with %s',
  async (_title, gateway, args, fault) => {
    place.write(fleet(gateway).replace('127.0.0.1:0"]', '0.0.0.0:0"]'));
    const ran = await place.berth('up', '--detach', ...args);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(fault);
  },
);

test('said in the file and on the command line, the gateway serves anybody', async () => {
  place.write(fleet('  allowAnonymous: true').replace('127.0.0.1:0"]', '0.0.0.0:0"]'));
  expect(await ask(await up('--allow-anonymous'))).toBe(200);
});

test('an address that others can reach may be opened once a key was made', async () => {
  place.write(fleet().replace('127.0.0.1:0"]', '[::]:0"]'));
  expect((await place.berth('validate')).code).toBe(2);
  const made = await add('laptop');
  const url = await up();
  expect([await ask(url), await ask(url, made.key)]).toEqual([401, 200]);
});

test('a key never stands in a file, a log, a metric, a status or the command line of a process', async () => {
  place.write(fleet());
  const made = await add('canary', '--control');
  const url = await up();
  const turned = (await place.berth('keys', 'rotate', 'canary', '--grace', '1h', '--json')).json() as NewKey;
  for (const key of [made.key, turned.key]) {
    expect(await ask(url, key)).toBe(200);
    expect(await ask(url, `${key}x`)).toBe(401);
    expect(await ask(url, key, 'no such model')).toBe(404);
  }
  const seen = await Promise.all(
    [
      ['status', '--json'],
      ['keys', 'list', '--json'],
      ['plan', '--json'],
      ['logs', 'gateway', '--json'],
      ['runs', '--json'],
    ].map(async (args) => (await place.berth(...args)).stdout),
  );
  seen.push(await (await fetch(`${url}/metrics`)).text());
  for (const entry of readdirSync(place.folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) seen.push(readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const state = JSON.parse(seen[0] ?? '{}') as { gateway: { pid: number } };
  for (const file of ['cmdline', 'environ'])
    seen.push(readFileSync(`/proc/${state.gateway.pid}/${file}`, 'latin1'));
  expect(seen.join('\n')).toContain('berth_gateway_requests_total');
  expect(seen.join('\n')).toContain('canary');
  for (const key of [made.key, turned.key]) expect(seen.join('\n')).not.toContain(key);
});

test('a key that the file names as well can be taken away, as the fault of that says', async () => {
  place.env['FILE_KEY'] = 'from-the-file';
  place.write(fleet());
  await add('both');
  await add('master');
  place.write(fleet('  keys: {both: "${env:FILE_KEY}"}\n  masterKey: "${env:FILE_KEY}"'));
  for (const name of ['both', 'master']) {
    expect((await place.berth('validate')).stderr).toContain(`berth keys revoke ${name}`);
    const ran = await place.berth('keys', 'revoke', name);
    expect([ran.code, ran.stderr], name).toEqual([0, expect.stringContaining(`The key ${name} is revoked.`)]);
  }
  expect((await place.berth('keys', 'revoke', 'both')).stderr).toContain('stands in the fleet file');
  expect(kept().keys).toEqual([]);
});

test('without a command of its own "berth keys" shows what there is', async () => {
  const asked = await place.berth('keys');
  expect(asked.code).toBe(2);
  expect(asked.stderr).toContain('rotate [options] <name>');
  expect(asked.stderr).toMatch(/\nberth: which of these commands\?\n/);
});
