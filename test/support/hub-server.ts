import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

/** Content of any length that is made as it is read. `edition` makes it other content of the same length. */
export interface Content {
  readonly size: number;
  readonly read: (from: number, to: number) => Buffer;
}

/** What goes wrong with one answer. `after` counts the bytes that are sent before it does. */
export type HubFault =
  | { readonly do: 'cut' | 'stall'; readonly after: number }
  | { readonly do: 'status'; readonly status: number; readonly headers?: Record<string, string> }
  /** The whole file with status 200, whatever range was asked for. */
  | { readonly do: 'no-ranges' }
  /** A 206 of another range than the one it is for. */
  | { readonly do: 'lie' }
  /** A 206 that says the right range, and has so many bytes more of the file, or fewer, in its body. */
  | { readonly do: 'longer' | 'shorter'; readonly by: number }
  | { readonly do: 'wrong-bytes' };

export interface HubRequest {
  readonly path: string;
  readonly range: { readonly from: number; readonly to: number } | null;
  readonly headers: http.IncomingHttpHeaders;
  readonly host: 'hub' | 'store';
}

export interface HubServer {
  readonly url: string;
  /** Every request for the bytes of a file, at the hub and where it redirects to. */
  readonly asked: HubRequest[];
  readonly files: Map<string, Content>;
  /** What goes wrong with this request; null lets it go well. */
  fault: (request: HubRequest) => HubFault | null;
  /** Status of the list of files, with the code that the Hub puts beside it. */
  refuse: {
    readonly status: number;
    readonly code: string;
    /** So often, and then no more; absent: always. */
    times?: number;
  } | null;
  /** How often the list was asked for. */
  lists: number;
  /** How often the list was refused. */
  refused: number;
  /** Sums that the list tells, in place of the true ones. */
  readonly sums: Map<string, string>;
  /** Files that git itself has, by the names that the list gives them. */
  readonly gitNames: Map<string, string>;
  revision: string;
  /** Each piece of a file waits for it. */
  pace: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/**
 * A hub as models are fetched from: it lists the same files for every repository, with sums, and redirects each file to a second address,
 * as the real one does to its store. Listens on loopback, or on an address that pods reach.
 */
export async function startHub(address = '127.0.0.1'): Promise<HubServer> {
  const sums = new Map<Content, string>();
  const store = await listen(address, (request, reply) => serve(request, reply, 'store'));
  const hub = await listen(address, (request, reply) => {
    const url = new URL(request.url ?? '/', 'http://hub');
    if (url.pathname.startsWith('/api/models/')) return list(reply);
    const path = /^\/[^/]+\/[^/]+\/resolve\/[^/]+\/(.+)$/.exec(url.pathname)?.[1];
    if (path === undefined) return end(reply, 404);
    self.asked.push(seen(request, path, 'hub'));
    reply.writeHead(302, { location: `${store.url}/${path}?signed=1` }).end();
  });

  function list(reply: http.ServerResponse): void {
    self.lists += 1;
    if (self.refuse !== null) {
      self.refused += 1;
      reply.writeHead(self.refuse.status, { 'x-error-code': self.refuse.code }).end('{"error":"no"}');
      if (self.refuse.times !== undefined && (self.refuse.times -= 1) === 0) self.refuse = null;
      return;
    }
    const siblings = [...self.files].map(([rfilename, content]) => {
      const blobId = self.gitNames.get(rfilename);
      if (blobId !== undefined) return { rfilename, size: content.size, blobId };
      const sha256 = self.sums.get(rfilename) ?? sums.get(content) ?? sumOf(content);
      sums.set(content, sha256);
      return { rfilename, size: content.size, lfs: { sha256, size: content.size, pointerSize: 135 } };
    });
    const body = {
      id: 'lab/tiny',
      sha: self.revision,
      gated: false,
      cardData: { license: 'apache-2.0' },
      siblings,
    };
    reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }

  function serve(request: http.IncomingMessage, reply: http.ServerResponse, host: 'store'): void {
    const path = new URL(request.url ?? '/', 'http://store').pathname.slice(1);
    const content = self.files.get(path);
    const asked = seen(request, path, host);
    self.asked.push(asked);
    if (!content) return end(reply, 404);
    const fault = self.fault(asked);
    if (fault?.do === 'status') {
      reply.writeHead(fault.status, fault.headers ?? {}).end('{"error":"so it is"}');
      return;
    }
    void answer(reply, content, { asked, fault, pace: () => self.pace() });
  }

  const self: HubServer = {
    url: hub.url,
    asked: [],
    files: new Map(),
    fault: () => null,
    refuse: null,
    lists: 0,
    refused: 0,
    sums: new Map(),
    gitNames: new Map(),
    revision: 'c0ffee',
    pace: async () => {},
    stop: async () => {
      await hub.stop();
      await store.stop();
    },
  };
  return self;
}

async function answer(
  reply: http.ServerResponse,
  content: Content,
  {
    asked: { range, headers },
    fault,
    pace,
  }: { asked: HubRequest; fault: HubFault | null; pace: () => Promise<void> },
): Promise<void> {
  const etag = `"${content.read(0, 15).toString('hex')}-${content.size}"`;
  const stale = headers['if-range'] !== undefined && headers['if-range'] !== etag;
  const whole = range === null || stale || fault?.do === 'no-ranges';
  const from = whole ? 0 : range.from;
  const to = whole ? content.size - 1 : Math.min(range.to, content.size - 1);
  const told =
    fault?.do === 'lie' ? `bytes ${from + 1}-${to}/${content.size}` : `bytes ${from}-${to}/${content.size}`;
  const last = Math.min(content.size - 1, Math.max(from, to + beyond(fault)));
  reply.writeHead(whole ? 200 : 206, {
    etag,
    'content-length': last - from + 1,
    ...(whole ? {} : { 'content-range': told }),
  });
  let sent = 0;
  for (let at = from; at <= last; at += 64 * 1024) {
    const end = Math.min(last, at + 64 * 1024 - 1);
    const bytes = content.read(at, end);
    if (fault?.do === 'wrong-bytes') bytes[0] = (bytes[0] ?? 0) ^ 0xff;
    const stops =
      fault !== null && (fault.do === 'cut' || fault.do === 'stall') && sent + bytes.length > fault.after;
    if (stops) {
      reply.write(bytes.subarray(0, Math.max(0, fault.after - sent)));
      if (fault.do === 'cut') setImmediate(() => reply.destroy());
      return;
    }
    sent += bytes.length;
    await pace();
    if (reply.destroyed) return;
    if (!reply.write(bytes)) await drainOrEnd(reply);
  }
  reply.end();
}

function beyond(fault: HubFault | null): number {
  if (fault?.do === 'longer') return fault.by;
  return fault?.do === 'shorter' ? -fault.by : 0;
}

function drainOrEnd(reply: http.ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    function go(): void {
      reply.off('drain', go).off('close', go);
      resolve();
    }
    reply.on('drain', go).on('close', go);
  });
}

function seen(request: http.IncomingMessage, path: string, host: 'hub' | 'store'): HubRequest {
  const found = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
  const range = found ? { from: Number(found[1]), to: Number(found[2]) } : null;
  return { path, range, headers: request.headers, host };
}

function end(reply: http.ServerResponse, status: number): void {
  reply.writeHead(status).end();
}

async function listen(
  address: string,
  handle: http.RequestListener,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = http.createServer(handle);
  await new Promise<void>((done) => void server.listen(0, address, done));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Bytes that are what they are by their place: a part that is put elsewhere, or twice, changes the sum. */
export function contentOf(size: number, edition = 0): Content {
  return {
    size,
    read: (from, to) => {
      const bytes = Buffer.alloc(Math.max(0, to - from + 1));
      for (let i = 0; i < bytes.length; i += 1) {
        const at = from + i;
        bytes[i] = (at * 31 + (at >>> 8) * 17 + (at >>> 16) * 7 + edition) & 0xff;
      }
      return bytes;
    },
  };
}

/** A hub on this machine that has one small model, whatever is asked for. */
export async function startSmallHub(): Promise<HubServer> {
  const hub = await startHub();
  const model = join(import.meta.dirname, '../../examples/quickstart/model/berth-toy.Q8_0.gguf');
  hub.files.set('small-q4_k_m.gguf', contentOfBytes(readFileSync(model)));
  return hub;
}

export function contentOfBytes(bytes: Buffer): Content {
  return { size: bytes.length, read: (from, to) => Buffer.from(bytes.subarray(from, to + 1)) };
}

export function sumOf(content: Content): string {
  const hash = createHash('sha256');
  for (let at = 0; at < content.size; at += 1024 * 1024)
    hash.update(content.read(at, Math.min(content.size, at + 1024 * 1024) - 1));
  return hash.digest('hex');
}
