import { promises as fs } from 'node:fs';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';

/** Output of engines: appended to by processes that outlive us. */

/** What is read of a file for its last lines. */
export const tailBytes = 256 * 1024;
const pollMs = 200;

export interface LogFiles {
  /** The last lines that were written at or after the byte `since`, and where the file ends. A missing file has none. */
  readonly last: (path: string, count: number, since?: number) => Promise<{ lines: string[]; end: number }>;
  /** Whole lines as they are appended after the byte `from`, until the signal aborts. Goes on at the start when the file was cut. */
  readonly follow: (path: string, options: { from: number; signal: AbortSignal }) => AsyncIterable<string>;
  /** Keeps the file below `maxBytes` by moving what is there to ".1"; lines written meanwhile may be lost. */
  readonly rotate: (path: string, maxBytes: number) => Promise<void>;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await fs.stat(path)).size;
  } catch {
    return 0;
  }
}

async function readFrom(path: string, from: number, to: number): Promise<string> {
  const file = await fs.open(path, 'r').catch(() => null);
  if (!file) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, to - from)), 0, to - from, from);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The last lines that were written at or after the byte `since`, and where the file ends. A missing file has none. */
export async function lastLines(
  path: string,
  count: number,
  since = 0,
): Promise<{ lines: string[]; end: number }> {
  const end = await sizeOf(path);
  // A rotated file starts again at 0.
  const from = Math.max(since > end ? 0 : since, end - tailBytes);
  const lines = linesOf(await readFrom(path, from, end));
  return { lines: count === 0 ? [] : lines.slice(-count), end };
}

export function linesOf(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** Whole lines as they are appended, until the signal aborts. Goes on at the start when the file was cut. */
export async function* followLines(
  clock: Clock,
  path: string,
  options: { from: number; signal: AbortSignal },
): AsyncIterable<string> {
  let at = options.from;
  let rest = '';
  while (!options.signal.aborted) {
    const end = await sizeOf(path);
    if (end < at) at = 0;
    if (end > at) {
      const lines = (rest + (await readFrom(path, at, end))).split('\n');
      rest = lines.pop() ?? '';
      at = end;
      yield* lines;
    }
    await clock.sleep(pollMs, options.signal).catch(() => {});
  }
}

/**
 * Keeps the file below `maxBytes` by moving what is there to ".1". The writer has it open for appending, so the content is copied
 * and the file cut; lines written between the two are lost.
 */
export async function rotateLog(path: string, maxBytes: number): Promise<void> {
  if ((await sizeOf(path)) <= maxBytes) return;
  await fs.copyFile(path, `${path}.1`);
  await fs.truncate(path, 0);
}

export const localLogFiles: LogFiles = {
  last: lastLines,
  follow: (path, options) => followLines(systemClock, path, options),
  rotate: rotateLog,
};
