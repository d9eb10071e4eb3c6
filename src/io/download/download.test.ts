import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentOf, startHub } from '../../../test/support/hub-server.ts';
import type { HubServer } from '../../../test/support/hub-server.ts';
import { systemClock } from '../clock.ts';
import { download } from './download.ts';
import type { DownloadRequest } from './download.ts';
import { GaveUp, Refused } from './faults.ts';
import { partBytes } from './parts.ts';

const size = partBytes + 1234;
let hub: HubServer;
let folder: string;
let troubles: string[];

beforeEach(async () => {
  hub = await startHub();
  hub.files.set('a.bin', contentOf(size));
  folder = mkdtempSync(join(tmpdir(), 'berth download '));
  troubles = [];
});

afterEach(async () => {
  await hub.stop();
  rmSync(folder, { recursive: true });
});

function request(options: Partial<DownloadRequest> = {}): DownloadRequest {
  return {
    path: join(folder, 'a.bin'),
    address: async () => ({ url: `${hub.url}/lab/tiny/resolve/main/a.bin`, headers: {} }),
    size,
    ranges: true,
    connections: 2,
    stallMs: 300,
    signal: new AbortController().signal,
    onProgress: () => {},
    onTrouble: (reason) => troubles.push(reason),
    ...options,
  };
}

function expectWhole(): void {
  expect(readFileSync(join(folder, 'a.bin')).equals(contentOf(size).read(0, size - 1))).toBe(true);
}

test('a connection that stalls is given up for another, which goes on where it stopped', async () => {
  let stalls = 0;
  hub.fault = () => (stalls++ < 1 ? { do: 'stall', after: 70_000 } : null);
  await download(systemClock, request());
  expect(troubles.length).toBe(1);
  const begun = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range?.from);
  expect(begun).toContain(70_000);
});

test('a book that says more than there are bytes is not believed', async () => {
  const stop = new AbortController();
  hub.fault = () => ({ do: 'stall', after: 3 * 1024 * 1024 });
  const begun = download(
    systemClock,
    request({
      stallMs: 60_000,
      signal: stop.signal,
      onProgress: (done) => done > 2.5 * 1024 * 1024 && stop.abort(),
    }),
  );
  await expect(begun).rejects.toThrow('abort');
  truncateSync(join(folder, 'a.bin'), 1000);
  hub.fault = () => null;
  await download(systemClock, request());
  expectWhole();
});

test('what is refused is told at once, what is broken only after several tries', async () => {
  hub.fault = () => ({ do: 'status', status: 404 });
  await expect(download(systemClock, request())).rejects.toThrow(Refused);
  hub.fault = () => ({ do: 'cut', after: 0 });
  const quick = { ...systemClock, sleep: async () => {} };
  await expect(download(quick, request())).rejects.toThrow(GaveUp);
  expect(troubles.length).toBeGreaterThanOrEqual(5);
});

test('an empty file, and one whose length nobody tells, arrive', async () => {
  hub.files.set('a.bin', contentOf(0));
  await download(systemClock, request({ size: null }));
  expect(readFileSync(join(folder, 'a.bin')).length).toBe(0);
  hub.files.set('a.bin', contentOf(size));
  await download(systemClock, request({ size: null, path: join(folder, 'b.bin') }));
  expect(readFileSync(join(folder, 'b.bin')).length).toBe(size);
});
