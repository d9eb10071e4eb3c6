import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makePlace } from '../../support/berth.ts';
import type { Place } from '../../support/berth.ts';
import { makeAuthority, opensslMissing } from '../../support/certificates.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import type { S3Server } from '../../support/s3-server.ts';

vi.setConfig({ testTimeout: 120_000 });

let place: Place;
let s3: S3Server | null = null;

beforeEach(() => {
  place = makePlace();
});

afterEach(async () => {
  await place.close();
  await s3?.stop();
  s3 = null;
});

function letIn(server: S3Server): void {
  place.env['AWS_ENDPOINT_URL'] = server.url;
  place.env['AWS_REGION'] = s3Keys.region;
  place.env['AWS_ACCESS_KEY_ID'] = s3Keys.id;
  place.env['AWS_SECRET_ACCESS_KEY'] = s3Keys.secret;
}

/** A file with one tensor of bytes. */
function safetensors(bytes: Buffer): Buffer {
  const tensor = { dtype: 'U8', shape: [bytes.length], data_offsets: [0, bytes.length] };
  const front = Buffer.from(JSON.stringify({ weights: tensor }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(front.length));
  return Buffer.concat([length, front, bytes]);
}

function fill(server: S3Server): Buffer {
  const weights = safetensors(randomBytes(100_000));
  server.objects.set(
    'models/mistral 24b/config.json',
    Buffer.from('{"architectures":["MistralForCausalLM"]}'),
  );
  server.objects.set('models/mistral 24b/model.safetensors', weights);
  server.objects.set('models/mistral 24b/tokenizer (1)+é.json', Buffer.from('{}'));
  server.objects.set('models/mistral 24b-other/model.safetensors', Buffer.from('not this one'));
  return weights;
}

test('all objects below a prefix are fetched with signed requests, page by page', async () => {
  s3 = await startS3(null);
  s3.pageSize = 2;
  const weights = fill(s3);
  letIn(s3);
  const ran = await place.berth('pull', 's3://models/mistral 24b', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  const [pulled] = ran.json() as { path: string }[];
  expect(readdirSync(pulled?.path ?? '').toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
    'config.json',
    'model.safetensors',
    'tokenizer (1)+é.json',
  ]);
  expect(readFileSync(`${pulled?.path}/model.safetensors`).equals(weights)).toBe(true);
  expect(ran.stdout + ran.stderr).not.toContain('canary');
});

test('keys come from a profile of the AWS tools, and show nowhere', async () => {
  s3 = await startS3(null);
  fill(s3);
  mkdirSync(join(place.folder, '.aws'));
  place.env['HOME'] = place.folder;
  place.env['AWS_PROFILE'] = 'lab';
  place.write(
    `[lab]\naws_access_key_id = ${s3Keys.id}\naws_secret_access_key = ${s3Keys.secret}\n`,
    '.aws/credentials',
  );
  place.write(`[profile lab]\nregion = ${s3Keys.region}\nendpoint_url = ${s3.url}\n`, '.aws/config');
  const ran = await place.berth('pull', 's3://models/mistral 24b', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.json()).toMatchObject([{ fetched: true }]);
  expect(ran.stdout + ran.stderr).not.toContain('canary');
});

test('weights that are no whole file are not believed where nobody tells their sum', async () => {
  s3 = await startS3(null);
  const weights = fill(s3);
  letIn(s3);
  const name = 'models/mistral 24b/model.safetensors';
  for (const [bytes, said] of [
    [weights.subarray(0, 60_000), 'it has 60000 bytes, and its front tells of'],
    [Buffer.from('<html>not found</html>'.repeat(50)), 'its front names no tensors'],
  ] as const) {
    s3.objects.set(name, bytes);
    const ran = await place.berth('pull', 's3://models/mistral 24b');
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(said)]);
    expect((await place.berth('models', 'list')).stdout).not.toContain('mistral');
  }
  s3.objects.set(name, weights);
  expect((await place.berth('pull', 's3://models/mistral 24b')).code).toBe(0);
});

test('keys can stand in a file that the fleet file names, and wrong ones are told', async () => {
  s3 = await startS3(null);
  fill(s3);
  const lines = [
    `AWS_ENDPOINT_URL=${s3.url}`,
    `AWS_REGION=${s3Keys.region}`,
    `AWS_ACCESS_KEY_ID="${s3Keys.id}"`,
    `AWS_SECRET_ACCESS_KEY=${s3Keys.secret}`,
  ];
  place.write(`${lines.join('\n')}\n`, 's3.env');
  place.write(
    'version: 1\nfleet: lab\nmodels: {m: {source: "s3://models/mistral 24b/model.safetensors", secret: "${file:./s3.env}"}}\n',
  );
  const ran = await place.berth('pull', 'm', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  place.write(lines.join('\n').replace('canary', 'wrong'), 's3.env');
  const refused = await place.berth('models', 'show', 'm');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('SignatureDoesNotMatch');
  expect(refused.stderr).toContain('Check the keys, AWS_REGION, the clock');
});

test(`an authority of one's own is trusted where AWS_CA_BUNDLE names it${opensslMissing}`, async (context) => {
  if (opensslMissing !== '') context.skip();
  const authority = makeAuthority();
  const made = authority.issue('s3');
  s3 = await startS3({ key: readFileSync(made.keyFile), cert: made.cert });
  fill(s3);
  letIn(s3);
  const distrusted = await place.berth('pull', 's3://models/mistral 24b');
  expect(distrusted.code).toBe(1);
  expect(distrusted.stderr).toMatch(/certificate/i);
  place.env['AWS_CA_BUNDLE'] = authority.certFile;
  const ran = await place.berth('pull', 's3://models/mistral 24b', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
});

test('keys are read as the store lists them, and a list that breaks off is not taken for all of it', async () => {
  s3 = await startS3(null);
  s3.plainKeys = true;
  s3.objects.set('models/m/100%+1 & 2.json', Buffer.from('{}'));
  s3.objects.set('models/m/model.safetensors', safetensors(randomBytes(100)));
  letIn(s3);
  const ran = await place.berth('pull', 's3://models/m', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  const [pulled] = ran.json() as { path: string }[];
  expect(readdirSync(pulled?.path ?? '')).toContain('100%+1 & 2.json');
  for (const token of ['', '<NextContinuationToken>again</NextContinuationToken>']) {
    const page = '<Contents><Key>n/model.safetensors</Key><Size>3</Size></Contents>';
    s3.answer = () => ({
      status: 200,
      text: `<ListBucketResult><IsTruncated>true</IsTruncated>${page}${token}</ListBucketResult>`,
    });
    const refused = await place.berth('pull', 's3://models/n');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('has more pages')]);
  }
});

test('a split model is fetched by the name of its first part', async () => {
  s3 = await startS3(null);
  for (const n of [1, 2]) s3.objects.set(`models/q/m-0000${n}-of-00002.gguf`, ggufOf(n));
  s3.objects.set('models/q/m-other.gguf', Buffer.from('not this one'));
  letIn(s3);
  const ran = await place.berth('pull', 's3://models/q/m-00001-of-00002.gguf', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect((ran.json() as { path: string }[])[0]?.path).toMatch(/\/m-00001-of-00002\.gguf$/);
  s3.objects.delete('models/q/m-00002-of-00002.gguf');
  await place.berth('models', 'prune', '--all', '--yes');
  const lacks = await place.berth('pull', 's3://models/q/m-00001-of-00002.gguf');
  expect([lacks.code, lacks.stderr]).toEqual([1, expect.stringContaining('lacks m-00002-of-00002.gguf')]);
});

/** The header of part `n` of a split model, without tensors. */
function ggufOf(n: number): Buffer {
  const key = Buffer.from('split.no');
  const bytes = Buffer.alloc(24 + 8 + key.length + 8);
  bytes.write('GGUF');
  bytes.writeUInt32LE(3, 4);
  bytes.writeBigUInt64LE(1n, 16);
  bytes.writeBigUInt64LE(BigInt(key.length), 24);
  key.copy(bytes, 32);
  bytes.writeUInt32LE(4, 32 + key.length);
  bytes.writeUInt32LE(n - 1, 36 + key.length);
  return bytes;
}

test('parts that are each whole and no model together are told', async () => {
  s3 = await startS3(null);
  for (const n of [1, 2]) s3.objects.set(`models/q/m-0000${n}-of-00002.gguf`, ggufOf(1));
  letIn(s3);
  const ran = await place.berth('pull', 's3://models/q/m-00001-of-00002.gguf');
  const said = 'it is part 1, and lies in the place of part 2';
  expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining(said)]);
  const shown = await place.berth('models', 'show', 's3://models/q/m-00001-of-00002.gguf');
  expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining(said)]);
  expect((await place.berth('models', 'list')).stdout).not.toContain('s3://');
});

test.each([
  ['ExpiredToken', 400, '', 'which is over: get new ones'],
  ['AuthorizationHeaderMalformed', 400, '<Region>eu-far-1</Region>', 'Set AWS_REGION to eu-far-1'],
  ['PermanentRedirect', 301, '', 'Set AWS_REGION to the region of the bucket'],
  ['SlowDown', 503, '', 'had enough of our requests'],
])('a store that answers %s says what to do', async (code, status, more, said) => {
  s3 = await startS3(null);
  letIn(s3);
  s3.answer = () => ({ status, text: `<Error><Code>${code}</Code>${more}</Error>` });
  const ran = await place.berth('pull', 's3://models/m');
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain(said);
});
