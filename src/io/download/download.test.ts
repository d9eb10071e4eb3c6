import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { contentOf, startHub } from '../../../test/support/hub-server.ts';
import type { HubServer } from '../../../test/support/hub-server.ts';
import { systemClock } from '../clock.ts';
import { download } from './download.ts';
import type { DownloadRequest } from './download.ts';
import { GaveUp, Refused, Unwritten } from './faults.ts';
import { partBytes } from './parts.ts';

const size = partBytes + 1234;
let hub: HubServer;
let folder: string;
let troubles: string[];
const servers: http.Server[] = [];

beforeEach(async () => {
  hub = await startHub();
  hub.files.set('a.bin', contentOf(size));
  folder = mkdtempSync(join(tmpdir(), 'berth download '));
  troubles = [];
});

afterEach(async () => {
  await hub.stop();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
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
    env: {},
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
  expect(troubles).toContain('nothing came for 0.3 s; tried again');
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

const quick = { ...systemClock, sleep: async () => {} };

/** A web server whose every answer is `answer`, and how often it was asked. */
async function serve(answer: http.RequestListener): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const server = http.createServer((incoming, reply) => {
    asked += 1;
    answer(incoming, reply);
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  servers.push(server);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/a.bin`, asked: () => asked };
}

test('a server that sends nothing of a range is asked a few times, and no more', async () => {
  const { url, asked } = await serve((_incoming, reply) => {
    reply.writeHead(206, { 'content-range': 'bytes 0-99/100', 'content-length': 0 }).end();
  });
  const tried = download(quick, request({ size: 100, address: async () => ({ url, headers: {} }) }));
  await expect(tried).rejects.toThrow('sends nothing');
  expect(asked()).toBeLessThan(10);
});

test.each(['gzip', 'aws-chunked, GZIP', 'zstd'])(
  'a server that packs the file (%s) is told, and nothing of it is kept',
  async (coding) => {
    const { url } = await serve((_incoming, reply) => {
      reply.writeHead(200, { 'content-encoding': coding }).end(gzipSync('a'.repeat(100)));
    });
    const tried = download(quick, request({ size: null, address: async () => ({ url, headers: {} }) }));
    await expect(tried).rejects.toThrow(`packed (${coding})`);
    expect(readdirSync(folder)).toEqual([]);
  },
);

test.each(['aws-chunked', '', 'utf-8', 'binary', 'identity'])(
  'a coding that packs nothing (%s) is no fault',
  async (coding) => {
    const { url } = await serve((_incoming, reply) => {
      reply.writeHead(200, { 'content-encoding': coding }).end('a'.repeat(100));
    });
    await download(quick, request({ size: null, address: async () => ({ url, headers: {} }) }));
    expect(readFileSync(join(folder, 'a.bin'), 'utf8')).toBe('a'.repeat(100));
  },
);

test('redirects in a circle end at once', async () => {
  const { url, asked } = await serve((_incoming, reply) => {
    reply.writeHead(302, { location: '/a.bin' }).end();
  });
  await expect(download(quick, request({ address: async () => ({ url, headers: {} }) }))).rejects.toThrow(
    'redirects more than 8 times',
  );
  expect(asked()).toBe(9);
});

test('servers behind one name that tell different tags of one file still give it', async () => {
  const content = contentOf(size);
  let count = 0;
  const { url } = await serve((incoming, reply) => {
    const [, from = '0', to = String(size - 1)] =
      /^bytes=(\d+)-(\d+)$/.exec(incoming.headers.range ?? '') ?? [];
    const part = { etag: `"${(count += 1)}"`, 'accept-ranges': 'bytes' };
    const last = Math.min(Number(to), size - 1);
    const bytes = content.read(Number(from), last);
    const range = { 'content-range': `bytes ${from}-${last}/${size}` };
    const partial = incoming.headers.range !== undefined;
    reply.writeHead(partial ? 206 : 200, {
      ...part,
      ...(partial ? range : {}),
      'content-length': bytes.length,
    });
    reply.end(bytes);
  });
  await download(quick, request({ address: async () => ({ url, headers: {} }) }));
  expect(readFileSync(join(folder, 'a.bin')).equals(content.read(0, size - 1))).toBe(true);
});

test('one reply of many that is another range, or all of the same file, throws away nothing that has come', async () => {
  const content = contentOf(4 * partBytes);
  hub.files.set('a.bin', content);
  const faults = [null, { do: 'lie' }, null, { do: 'no-ranges' }] as const;
  let requests = 0;
  hub.fault = () => faults[requests++] ?? null;
  const one = { size: content.size, connections: 1 };
  await download(quick, request(one));
  expect(readFileSync(join(folder, 'a.bin')).equals(content.read(0, content.size - 1))).toBe(true);
  expect(hub.asked.filter(({ host }) => host === 'store').length).toBe(6);
  expect(troubles).toEqual([
    `the server sends bytes ${partBytes + 1}-${2 * partBytes - 1}/${content.size} for bytes ${partBytes}-${2 * partBytes - 1}; tried again`,
    `the server sends the whole file for bytes ${2 * partBytes}-${3 * partBytes - 1}; tried again`,
  ]);
});

test('lies throw nothing away while ranges come between them, however many there are', async () => {
  const content = contentOf(4 * partBytes);
  hub.files.set('a.bin', content);
  const lies = new Map<number, number>();
  hub.fault = ({ range }) => {
    const part = Math.floor((range?.from ?? 0) / partBytes);
    const count = (lies.get(part) ?? 0) + 1;
    lies.set(part, count);
    return part > 0 && count <= 5 ? { do: count % 2 === 0 ? 'lie' : 'no-ranges' } : null;
  };
  await download(quick, request({ size: content.size, connections: 1 }));
  expect(readFileSync(join(folder, 'a.bin')).equals(content.read(0, content.size - 1))).toBe(true);
  expect(troubles.filter((one) => one.includes('front to back'))).toEqual([]);
  expect([...lies.values()]).toEqual([1, 6, 6, 6]);
});

test('nor do they where a download goes on that was cut off', async () => {
  const stop = new AbortController();
  hub.fault = () => ({ do: 'stall', after: 3 * 1024 * 1024 });
  const begun = download(
    systemClock,
    request({
      connections: 1,
      stallMs: 60_000,
      signal: stop.signal,
      onProgress: (done) => done > 2.5 * 1024 * 1024 && stop.abort(),
    }),
  );
  await expect(begun).rejects.toThrow('abort');
  hub.asked.length = 0;
  let lies = 0;
  hub.fault = () => (++lies <= 5 ? { do: 'no-ranges' } : null);
  await download(quick, request({ connections: 1 }));
  expectWhole();
  expect(troubles.filter((told) => told.includes('front to back'))).toEqual([]);
  const ranges = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range?.from ?? 0);
  expect(Math.min(...ranges)).toBeGreaterThan(1024 * 1024);
});

test('a server that always lies about a range is read from front to back in the end', async () => {
  hub.fault = ({ range }) => (range?.from === partBytes ? { do: 'lie' } : null);
  await download(quick, request({ connections: 1 }));
  expectWhole();
  const ranges = hub.asked.filter(({ host }) => host === 'store').map(({ range }) => range?.from);
  expect(ranges.toSorted((a = Infinity, b = Infinity) => a - b)).toEqual([
    0,
    ...Array.from({ length: 6 }, () => partBytes),
    undefined,
  ]);
});

test('what changed is thrown away only once its place was asked again', async () => {
  const longer = size + partBytes;
  hub.files.set('a.bin', contentOf(longer));
  hub.fault = ({ range }) => {
    if (range?.from === partBytes) hub.files.set('a.bin', contentOf(longer, 1));
    return null;
  };
  const gone = new Error('it is another by now');
  const tried = download(
    quick,
    request({
      size: longer,
      connections: 1,
      onChanged: async () => {
        throw gone;
      },
    }),
  );
  await expect(tried).rejects.toBe(gone);
});

test('a drip is broken off as a silence is, and a server that only drips is given up', async () => {
  const { url } = await serve((_incoming, reply) => {
    reply.writeHead(206, { 'content-range': 'bytes 0-99999/100000', 'content-length': 100_000 });
    const drip = setInterval(() => void reply.write('x'), 10);
    reply.on('close', () => clearInterval(drip));
  });
  const tried = download(
    { ...quick, now: quickened() },
    request({ size: 100_000, address: async () => ({ url, headers: {} }) }),
  );
  await expect(tried).rejects.toThrow(/bytes came within|a range/);
});

/** A clock of which each look is later by a tenth of a second. */
function quickened(): () => number {
  let ms = 0;
  return () => (ms += 100);
}

test.each([
  ['120000', 429],
  ['Fri, 31 Dec 2100 23:59:59 GMT', 429],
  ['0', 503],
])('a server that says to come back after %s is believed', async (after, status) => {
  const { url, asked } = await serve((_incoming, reply) => {
    reply.writeHead(status, { 'retry-after': after }).end();
  });
  const tried = download(quick, request({ address: async () => ({ url, headers: {} }) }));
  await expect(tried).rejects.toThrow(Refused);
  expect(asked()).toBe(status === 429 ? 1 : 6);
});

test('a server that repeats the token that it was shown does not bring it into what is told', async () => {
  const { url } = await serve((incoming, reply) => {
    reply.writeHead(503).end(`no room for ${incoming.headers.authorization}`);
  });
  const headers = { authorization: 'Bearer hf_canary' };
  await expect(download(quick, request({ address: async () => ({ url, headers }) }))).rejects.toThrow(
    'it answers 503: no room for Bearer [secret]',
  );
  expect(troubles.length).toBeGreaterThan(0);
  expect(troubles.join(' ')).not.toContain('canary');
});

test('a place that cannot be written is told as it is, and the server is not asked again', async () => {
  writeFileSync(join(folder, 'file'), '');
  for (const ranges of [true, false]) {
    hub.asked.length = 0;
    await expect(download(quick, request({ ranges, path: join(folder, 'file/a.bin') }))).rejects.toThrow(
      Unwritten,
    );
    expect(hub.asked.filter(({ host }) => host === 'store').length).toBe(1);
  }
});
