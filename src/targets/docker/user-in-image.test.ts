import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dockerApi } from '../../io/docker-api.ts';
import { firstOfTar, uidIn } from './user-in-image.ts';

const folder = mkdtempSync(join(tmpdir(), 'berth-user-'));
const text = `root:x:0:0::/root:/bin/sh\n${'#'.repeat(600)}\nvllm:x:2000:0::/home/vllm:/bin/sh\n`;
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://docker');
  const there = pathname === '/v1.41/containers/known/archive' && searchParams.get('path') === '/etc/passwd';
  if (!there) return void response.writeHead(404).end('{"message":"no such file"}');
  response.end(archive('pax'));
});
const socket = join(folder, 'd.sock');

function archive(format: string): Buffer {
  return execFileSync('tar', [`--format=${format}`, '-C', folder, '-c', 'passwd']);
}

beforeAll(async () => {
  writeFileSync(join(folder, 'passwd'), text);
  await new Promise<void>((done) => void server.listen(socket, done));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

test.each(['gnu', 'ustar', 'pax'])('the first file of a %s archive is read', (format) => {
  expect(firstOfTar(archive(format))).toBe(text);
});

test('an archive without a file has none', () => {
  expect(firstOfTar(Buffer.alloc(1024))).toBeNull();
  expect(firstOfTar(Buffer.alloc(0))).toBeNull();
});

test('a user is its number, or what the image says of its name', async () => {
  const api = dockerApi(`unix://${socket}`);
  const asked = ['', '1000', 'vllm', 'root', 'vll'].map((user) => uidIn(api, 'known', user));
  expect(await Promise.all(asked)).toEqual([0, 1000, 2000, 0, null]);
  expect(await Promise.all(['root', 'vllm'].map((user) => uidIn(api, 'bare', user)))).toEqual([0, null]);
});
