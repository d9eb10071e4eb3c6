import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { beginCrc } from '../../../src/io/crc.ts';
import type { CrcKind } from '../../../src/domain/listed-model.ts';
import { makePlace } from '../../support/berth.ts';
import type { Place, Ran } from '../../support/berth.ts';
import { s3Keys, startS3 } from '../../support/s3-server.ts';
import type { S3Server } from '../../support/s3-server.ts';

vi.setConfig({ testTimeout: 120_000 });

const name = 'models/m/weights.bin';
const right = randomBytes(200_000);
const wrong = Buffer.from(right);
wrong[100_000] = 255 - (wrong[100_000] ?? 0);
let place: Place;
let s3: S3Server;
let asked: string[];

beforeEach(async () => {
  place = makePlace();
  s3 = await startS3(null);
  s3.objects.set(name, right);
  asked = [];
  s3.answer = ({ method, url }) => {
    if (url?.includes('weights.bin')) asked.push(String(method));
    return null;
  };
  Object.assign(place.env, {
    AWS_ENDPOINT_URL: s3.url,
    AWS_REGION: s3Keys.region,
    AWS_ACCESS_KEY_ID: s3Keys.id,
    AWS_SECRET_ACCESS_KEY: s3Keys.secret,
  });
});

afterEach(async () => {
  await place.close();
  await s3.stop();
});

function pull(...more: string[]): Promise<Ran> {
  return place.berth('pull', 's3://models/m', '--json', ...more);
}

function sha256Of(bytes: Buffer, form: 'base64' | 'hex' = 'base64'): string {
  return createHash('sha256').update(bytes).digest(form);
}

function crcOf(kind: CrcKind, bytes: Buffer): string {
  const crc = beginCrc(kind);
  crc.update(bytes);
  return crc.digest();
}

const sums: readonly (readonly [string, (bytes: Buffer) => string])[] = [
  ['sha256', sha256Of],
  ...(['crc64nvme', 'crc32c', 'crc32'] as const).map(
    (kind) => [kind, (bytes: Buffer) => crcOf(kind, bytes)] as const,
  ),
];

test.each(sums)('an object is held against the %s that its store tells', async (kind, sumOf) => {
  s3.sums.set(name, { [`x-amz-checksum-${kind}`]: sumOf(right) });
  const ran = await pull();
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(ran.json()).toMatchObject([{ files: [{ path: 'weights.bin', sha256: sha256Of(right, 'hex') }] }]);
  await place.berth('models', 'prune', '--all', '--yes');
  s3.objects.set(name, wrong);
  const corrupt = await pull();
  expect(corrupt.code).toBe(1);
  expect(corrupt.json()).toMatchObject({ error: { code: 'DOWNLOAD_CORRUPT' } });
  expect((await place.berth('models', 'list', '--json')).json()).toMatchObject({ models: [] });
});

test.each([
  ['marked as such', { 'x-amz-checksum-type': 'COMPOSITE', 'x-amz-checksum-sha256': sha256Of(wrong) }],
  ['that ends in how many', { 'x-amz-checksum-sha256': `${sha256Of(wrong)}-12` }],
  ['that is no sum', { 'x-amz-checksum-sha256': 'AAAA', 'x-amz-checksum-crc32': '?' }],
])('a sum of the sums of parts, %s, is not taken for one of the whole', async (_, headers) => {
  s3.sums.set(name, headers);
  const ran = await pull();
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
});

test('what the store has under another name is known by its sum and not fetched again', async () => {
  s3.sums.set(name, { 'x-amz-checksum-sha256': sha256Of(right) });
  s3.objects.set('models/again/weights.bin', right);
  s3.sums.set('models/again/weights.bin', { 'x-amz-checksum-sha256': sha256Of(right) });
  expect((await pull()).code).toBe(0);
  expect(asked).toContain('GET');
  asked.length = 0;
  const ran = await place.berth('pull', 's3://models/again', '--json');
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
  expect(asked).toEqual(['HEAD']);
});

test('whether a place has a newer form is told by the sum, whatever tag the same bytes have by now', async () => {
  s3.sums.set(name, { 'x-amz-checksum-sha256': sha256Of(right) });
  expect((await pull()).code).toBe(0);
  async function newer(): Promise<unknown> {
    const ran = await place.berth('models', 'list', '--check', '--json');
    return (ran.json() as { models: { newer: boolean }[] }).models[0]?.newer;
  }
  expect(await newer()).toBe(false);
  s3.objects.set(name, wrong);
  s3.sums.set(name, { 'x-amz-checksum-sha256': sha256Of(wrong) });
  expect(await newer()).toBe(true);
});

test('a store that refuses to be asked for sums gives its objects all the same', async () => {
  s3.answer = ({ method }) => (method === 'HEAD' ? { status: 403, text: '' } : null);
  const ran = await pull();
  expect(ran.code, ran.stderr + ran.stdout).toBe(0);
});
