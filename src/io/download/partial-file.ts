import { promises as fs } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { lengthOf, partCount, rangeOf } from './parts.ts';
import type { Identity } from './parts.ts';

/**
 * A file that arrives in parts, beside a book of how much of each part has arrived. Bytes are on the disk before the book
 * says so: whoever is killed in between, or loses power, has too little in the book, never too much.
 */
export interface PartialFile extends AsyncDisposable {
  readonly identity: Identity;
  readonly doneOf: (part: number) => number;
  readonly done: () => number;
  readonly write: (part: number, bytes: Uint8Array) => Promise<void>;
  /** Puts what was written on the disk, and then into the book. Several at once wait for the same writing. */
  readonly settle: (part: number) => Promise<void>;
}

const headBytes = 4096;

interface Head extends Identity {
  readonly version: 1;
}

export function bookOf(path: string): string {
  return `${path}.parts`;
}

/** What an earlier attempt left; null where there is nothing, or nothing that can be believed. */
export async function reopenPartial(path: string): Promise<PartialFile | null> {
  const book = await fs.readFile(bookOf(path)).catch(() => null);
  const head = book && readHead(book);
  if (!book || !head) return null;
  const counts = book.subarray(headBytes);
  if (counts.length !== partCount(head.size) * 4) return null;
  const data = await fs.open(path, 'r+').catch(() => null);
  if (!data) return null;
  const { size } = await data.stat();
  const done = Array.from({ length: partCount(head.size) }, (_, part) => counts.readUInt32LE(part * 4));
  const believable = done.every((count, part) => {
    const range = rangeOf(part, head.size);
    return count <= lengthOf(range) && (count === 0 || range.from + count <= size);
  });
  if (!believable) {
    await data.close();
    return null;
  }
  return opened(head, done, data, await fs.open(bookOf(path), 'r+'));
}

/** Begins anew; what lay there is overwritten. */
export async function createPartial(path: string, identity: Identity): Promise<PartialFile> {
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await removePartial(path);
  const head: Head = { version: 1, ...identity };
  const book = await fs.open(bookOf(path), 'w+', 0o600);
  await book.write(Buffer.from(JSON.stringify(head).padEnd(headBytes)), 0, headBytes, 0);
  await book.write(Buffer.alloc(partCount(identity.size) * 4), 0, undefined, headBytes);
  const data = await fs.open(path, 'w+', 0o644);
  return opened(head, Array<number>(partCount(identity.size)).fill(0), data, book);
}

export async function removePartial(path: string): Promise<void> {
  await fs.rm(path, { force: true });
  await fs.rm(bookOf(path), { force: true });
}

function readHead(book: Buffer): Head | null {
  try {
    const head = JSON.parse(book.toString('utf8', 0, headBytes)) as Partial<Head>;
    return head.version === 1 && Number.isSafeInteger(head.size) ? (head as Head) : null;
  } catch {
    return null;
  }
}

function opened(
  { size, etag, modified }: Head,
  done: number[],
  data: FileHandle,
  book: FileHandle,
): PartialFile {
  const unsettled = new Set<number>();
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  async function enter(): Promise<void> {
    const counts = [...unsettled].map((part) => [part, done[part] ?? 0] as const);
    unsettled.clear();
    await data.datasync();
    for (const [part, count] of counts) {
      const cell = Buffer.alloc(4);
      cell.writeUInt32LE(count);
      await book.write(cell, 0, 4, headBytes + part * 4);
    }
  }

  /** Of those who ask while one is under way, all wait for one that begins after it. */
  async function enterNext(): Promise<void> {
    await running.catch(() => {});
    next = null;
    running = enter();
    await running;
  }

  return {
    identity: { size, etag, modified },
    doneOf: (part) => done[part] ?? 0,
    done: () => done.reduce((sum, count) => sum + count, 0),
    write: async (part, bytes) => {
      const at = rangeOf(part, size).from + (done[part] ?? 0);
      let written = 0;
      while (written < bytes.length)
        written += (await data.write(bytes, written, bytes.length - written, at + written)).bytesWritten;
      done[part] = (done[part] ?? 0) + bytes.length;
    },
    settle: async (part) => {
      unsettled.add(part);
      await (next ??= enterNext());
    },
    [Symbol.asyncDispose]: async () => {
      await data.close();
      await book.close();
    },
  };
}
