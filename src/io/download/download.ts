import { promises as fs } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { hideSecret } from '../../domain/secret.ts';
import type { Clock } from '../clock.ts';
import { createConnector, leave } from './connect.ts';
import type { Address, Connector, Reply } from './connect.ts';
import { identityOf } from './identify.ts';
import { Changed, GaveUp, RangeLie, Refused, isFinal, writing } from './faults.ts';
import { createPartial, removePartial, reopenPartial } from './partial-file.ts';
import type { PartialFile } from './partial-file.ts';
import { lengthOf, partCount, rangeOf, readContentRange, sameFile } from './parts.ts';
import type { Identity, Range } from './parts.ts';
import { paced } from './pace.ts';
import { waitOf } from './wait-of.ts';

export interface DownloadRequest {
  /** Where the bytes are gathered; a book of what has come lies beside it until `finish`. */
  readonly path: string;
  /** Asked again when it is refused: signed addresses expire. */
  readonly address: () => Promise<Address>;
  /** Of the file as it was listed; null where that is not known. */
  readonly size: number | null;
  /** False reads it from front to back in one piece, and begins anew each time. */
  readonly ranges: boolean;
  readonly connections: number;
  readonly stallMs: number;
  /** Names the proxies that are asked. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number | null) => void;
  /** Told when something is tried again, and why. */
  readonly onTrouble: (reason: string) => void;
  /** Asked before what has come of a file that changed is thrown away; what it rejects with ends the download, and is kept for the next. */
  readonly onChanged?: () => Promise<void>;
}

const mostFailures = 6;
const mostRestarts = 3;
/** Of many servers behind one name some may not know ranges: as long as nothing has come that costs no more than a few tries. */
const mostLiesAtFirst = 3;
const settleEvery = 1024 * 1024;
/** A try that brought less than this is one of those that failed. */
const progressBytes = 64 * 1024;
/** A server that sends us away for longer is not waited for. */
const longestWaitMs = 120_000;

interface Work {
  readonly request: DownloadRequest;
  readonly clock: Clock;
  readonly connector: Connector;
  address: Address;
  /** A reply that was opened to learn what there is, for whoever takes that part. */
  opened: { readonly part: number; readonly reply: Reply } | null;
  /** Replies that were other ranges, over all parts, since anything came. */
  lies: number;
}

/**
 * Gathers a file in parallel ranges and goes on where an earlier call, however it ended, stopped. A server that knows no ranges,
 * or lies about them, is read from front to back instead. What was gathered is as long as the server said; whether its bytes are
 * right is the caller's to find out; what the server says of it comes back. Rejects with the faults of `faults.ts`, with what has come kept for the next call.
 */
export async function download(clock: Clock, request: DownloadRequest): Promise<Identity> {
  using connector = createConnector(request);
  const work: Work = { request, clock, connector, address: await request.address(), opened: null, lies: 0 };
  // No range is of nothing.
  if (!request.ranges || request.size === 0) return await wholeFile(work, null);
  for (let restarts = 0; ; restarts += 1) {
    try {
      const { identity, whole } = await inRanges(work);
      return whole === null ? identity : await wholeFile(work, whole);
    } catch (error) {
      if (error instanceof RangeLie) {
        request.onTrouble(`${error.message}; it is read from front to back instead`);
        return await wholeFile(work, null);
      }
      if (!(error instanceof Changed)) throw error;
      await request.onChanged?.();
      await writing(() => removePartial(request.path));
      // Several servers behind one name can each tell another tag of one file: a single reply is never a mixture.
      const whole = restarts === mostRestarts;
      request.onTrouble(`${error.message}; it is ${whole ? 'read from front to back' : 'begun anew'}`);
      if (whole) return await wholeFile(work, null);
    }
  }
}

interface InRanges {
  readonly identity: Identity;
  /** The reply of a server that knows no ranges; null once all has come. */
  readonly whole: Reply | null;
}

async function inRanges(work: Work): Promise<InRanges> {
  await using earlier = await writing(() => reopenPartial(work.request.path));
  const missing = earlier === null ? [0] : missingParts(earlier);
  const [part] = missing;
  if (earlier !== null && part === undefined) return { identity: earlier.identity, whole: null };
  const reply = await openHonest(work, part ?? 0, earlier);
  if (reply.status === 200) return { identity: identityOf(reply), whole: reply };
  work.opened = { part: part ?? 0, reply };
  if (earlier !== null) {
    await takeParts(work, earlier, missing);
    return { identity: earlier.identity, whole: null };
  }
  const identity = identityOf(reply);
  checkSize(work.request, identity.size);
  await using fresh = await writing(() => createPartial(work.request.path, identity));
  await takeParts(work, fresh, missingParts(fresh));
  return { identity, whole: null };
}

/** All at once, each worker taking the next part that nobody has; the first final fault ends the others. */
async function takeParts(work: Work, file: PartialFile, missing: readonly number[]): Promise<void> {
  const queue = [...missing];
  const ended = new AbortController();
  const signal = AbortSignal.any([work.request.signal, ended.signal]);
  work.request.onProgress(file.done(), file.identity.size);
  async function worker(): Promise<void> {
    for (let part = queue.shift(); part !== undefined; part = queue.shift())
      await takePart(work, file, part, signal);
  }
  const workers = Array.from({ length: Math.min(work.request.connections, queue.length) }, worker);
  const stopping = workers.map((one) =>
    one.catch((error: unknown) => {
      ended.abort(error);
      throw error;
    }),
  );
  const [failed] = (await Promise.allSettled(stopping)).filter(({ status }) => status === 'rejected');
  if (failed) throw ended.signal.reason ?? (failed as PromiseRejectedResult).reason;
}

async function takePart(work: Work, file: PartialFile, part: number, signal: AbortSignal): Promise<void> {
  const whole = lengthOf(rangeOf(part, file.identity.size));
  let failures = 0;
  while (file.doneOf(part) < whole) {
    const before = file.doneOf(part);
    try {
      await takeRest(work, file, part, signal);
      if (file.doneOf(part) === before) throw new Error('the server sends nothing for what it was asked for');
    } catch (error) {
      if (signal.aborted) throw error;
      if (error instanceof RangeLie) {
        await passOver(work, error, signal);
        continue;
      }
      if (isFinal(error)) throw error;
      failures = file.doneOf(part) - before >= progressBytes ? 1 : failures + 1;
      await pause(work, failures, error, signal);
    }
  }
}

/** What has come by ranges is thrown away for lies only once nothing else is told any more, on whatever part. */
async function passOver(work: Work, lie: RangeLie, signal: AbortSignal): Promise<void> {
  work.lies += 1;
  if (lie.always || work.lies >= mostFailures) throw lie;
  await pause(work, work.lies, lie, signal);
}

async function takeRest(work: Work, file: PartialFile, part: number, signal: AbortSignal): Promise<void> {
  const { opened } = work;
  if (opened?.part === part) work.opened = null;
  const reply = opened?.part === part ? opened.reply : await openPart(work, part, file, signal);
  let unsettled = 0;
  try {
    for await (const chunk of paced(reply.body, work.request.stallMs, work.clock.now)) {
      signal.throwIfAborted();
      const left = lengthOf(rangeOf(part, file.identity.size)) - file.doneOf(part);
      const taken = chunk.length > left ? chunk.subarray(0, left) : chunk;
      await writing(() => file.write(part, taken));
      work.lies = 0;
      work.request.onProgress(file.done(), file.identity.size);
      if ((unsettled += taken.length) >= settleEvery) {
        await writing(() => file.settle(part));
        unsettled = 0;
      }
      if (taken.length === left) break;
    }
  } finally {
    await writing(() => file.settle(part));
  }
}

/** As `openPart`, which is tried again where a server sends another range than it was asked for, or all of the same file. */
async function openHonest(work: Work, part: number, earlier: PartialFile | null): Promise<Reply> {
  const { signal } = work.request;
  const most = earlier === null ? mostLiesAtFirst : mostFailures;
  for (let lies = 1; ; lies += 1) {
    try {
      return await openPart(work, part, earlier, signal);
    } catch (error) {
      if (!(error instanceof RangeLie) || error.always || lies === most) throw error;
      await pause(work, lies, error, signal);
    }
  }
}

/** The reply to what is missing of a part. It is a 206 of exactly that, or a 200 where there is no `file` yet; everything else rejects. */
async function openPart(
  work: Work,
  part: number,
  file: PartialFile | null,
  signal: AbortSignal,
): Promise<Reply> {
  const size = file?.identity.size ?? work.request.size;
  const full = rangeOf(part, size ?? Number.MAX_SAFE_INTEGER);
  const range = { from: full.from + (file?.doneOf(part) ?? 0), to: full.to };
  const reply = await open(work, range, strongTag(file?.identity.etag ?? null), signal);
  if (reply.status === 200) {
    if (file === null) return reply;
    await leave(reply);
    throw isSame(file.identity, reply)
      ? new RangeLie(`the server sends the whole file for bytes ${range.from}-${range.to}`)
      : new Changed('another file lies there than before');
  }
  const sent = readContentRange(reply.headers['content-range']);
  if (sent === null || sent.from !== range.from || (file !== null && sent.to > range.to)) {
    await leave(reply);
    throw new RangeLie(
      `the server sends ${reply.headers['content-range'] ?? 'no range'} for bytes ${range.from}-${range.to}`,
    );
  }
  if (file !== null && !sameFile(file.identity, identityOf(reply))) {
    await leave(reply);
    throw new Changed('another file lies there than before');
  }
  return reply;
}

async function open(
  work: Work,
  range: Range | null,
  tag: string | null,
  signal: AbortSignal,
): Promise<Reply> {
  let failures = 0;
  for (let renewed = false; ;) {
    try {
      const reply = await work.connector.get(work.address, range, tag, signal);
      if (reply.status === 200 || reply.status === 206) return reply;
      const said = withoutSecrets(await beginningOf(reply), work.address);
      const refused = new Refused(reply.status, reply.headers, said);
      if (reply.status === 416 && reply.headers['content-range']?.endsWith('/0'))
        throw new RangeLie('the file is empty', true);
      if (reply.status === 416) throw new Changed('the file is shorter than before');
      if (reply.status === 429 || reply.status >= 500)
        throw new Busy(refused, waitOf(reply.headers, work.clock.wall()));
      // An address that was signed for a while is asked for once more.
      if (renewed) throw refused;
      renewed = true;
      work.address = await work.request.address();
    } catch (error) {
      if (signal.aborted || isFinal(error)) throw error;
      failures += 1;
      if (error instanceof Busy && (failures >= mostFailures || error.waitMs > longestWaitMs))
        throw error.refused;
      await pause(work, failures, error, signal);
    }
  }
}

/** Too much is asked at once, or the server is ill: another try may go well. */
class Busy extends Error {
  readonly refused: Refused;
  readonly waitMs: number;
  constructor(refused: Refused, waitMs: number) {
    super(refused.message);
    this.refused = refused;
    this.waitMs = waitMs;
  }
}

async function pause(work: Work, failures: number, error: unknown, signal: AbortSignal): Promise<void> {
  const reason = reasonOf(error);
  if (failures >= mostFailures) throw new GaveUp(reason, { cause: error });
  work.request.onTrouble(`${reason}; tried again`);
  const backOff = Math.min(30_000, 250 * 2 ** failures);
  await work.clock.sleep(Math.max(backOff, error instanceof Busy ? error.waitMs : 0), signal);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Node's word for a body whose connection is gone.
  return error.message === 'aborted' ? 'the connection broke off' : error.message;
}

async function wholeFile(work: Work, opened: Reply | null): Promise<Identity> {
  let reply = opened;
  for (let failures = 1; ; failures += 1) {
    try {
      return await takeWhole(work, reply ?? (await open(work, null, null, work.request.signal)));
    } catch (error) {
      if (work.request.signal.aborted || isFinal(error)) throw error;
      await pause(work, failures, error, work.request.signal);
    }
    reply = null;
  }
}

/** From front to back, without a book: what breaks off is begun anew. */
async function takeWhole({ request, clock }: Work, reply: Reply): Promise<Identity> {
  const told = reply.headers['content-length'];
  const total = told === undefined ? null : Number(told);
  if (total !== null) checkSize(request, total);
  await using file = await writing(() => beginWhole(request.path));
  let done = 0;
  for await (const chunk of paced(reply.body, request.stallMs, clock.now)) {
    await writing(() => file.writeFile(chunk));
    request.onProgress((done += chunk.length), total);
  }
  if (total !== null && done !== total) throw new Error(`it ended after ${done} of ${total} bytes`);
  checkSize(request, done);
  await writing(() => file.datasync());
  return { ...identityOf(reply), size: done };
}

async function beginWhole(path: string): Promise<FileHandle> {
  await removePartial(path);
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return fs.open(path, 'w', 0o644);
}

function checkSize({ size }: DownloadRequest, found: number): void {
  if (size !== null && size !== found)
    throw new Changed(`the file has ${found} bytes where ${size} were listed`);
}

/** A reply that tells no length is judged by the rest of what it tells. */
function isSame(file: Identity, reply: Reply): boolean {
  const told = identityOf(reply);
  return sameFile(file, reply.headers['content-length'] === undefined ? { ...told, size: file.size } : told);
}

function missingParts(file: PartialFile): number[] {
  const { size } = file.identity;
  return Array.from({ length: partCount(size) }, (_, part) => part).filter(
    (part) => file.doneOf(part) < lengthOf(rangeOf(part, size)),
  );
}

function strongTag(etag: string | null): string | null {
  return etag?.startsWith('"') ? etag : null;
}

/** A server may repeat the token that it was shown. */
function withoutSecrets(text: string, { headers }: Address): string {
  const shown = Object.values(headers).map((value) => value.replace(/^Bearer /, ''));
  return shown.reduce((now, secret) => hideSecret(now, secret), text);
}

async function beginningOf({ body }: Reply): Promise<string> {
  let text = '';
  for await (const part of body) if ((text += part.toString('utf8')).length > 300) break;
  return text.replaceAll(/\s+/g, ' ').slice(0, 300);
}
