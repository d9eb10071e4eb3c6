import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import { isShort, noteOf, numberColumns, numbersOf, timeColumns, unknown, words } from './columns.ts';
import type { SegmentParts } from './segment.ts';

/*
 * The file, all numbers little-endian. Head: "berthrec", version (u32), length of the JSON (u32), the JSON with the names
 * of the columns and the lists of words. Then blocks: mark (u32), bytes behind this head (u32), records (u32), gaps (u32),
 * bytes of notes (u32), 12 bytes of nothing; each column of times (f64 a record, NaN: none), each of numbers (i32, the
 * least: unknown), gaps in µs (u32), notes (a JSON line a record: all that no column holds). Every part is filled up to 8 bytes, so that all can be read where it lies.
 */

const title = 'berthrec';
const version = 1;
const mark = 0x31_42_52_42;
export const blockHeadBytes = 32;
export const fileHeadBytes = 16;

const Head = z.object({
  schema: z.literal(runSchema),
  times: z.array(z.string()),
  numbers: z.array(z.string()),
  words: z.record(z.string(), z.array(z.string())),
});
export type Head = z.infer<typeof Head>;

/** Of what this version writes. */
export const ownHead: Head = {
  schema: runSchema,
  times: [...timeColumns],
  numbers: [...numberColumns],
  words: {},
};

function upTo8(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

export function fileHead(): Buffer {
  const json = JSON.stringify({ ...ownHead, words });
  const text = json.padEnd(upTo8(json.length), ' ');
  const head = Buffer.alloc(fileHeadBytes + text.length);
  head.write(title, 'latin1');
  head.writeUInt32LE(version, 8);
  head.writeUInt32LE(text.length, 12);
  head.write(text, fileHeadBytes, 'latin1');
  return head;
}

/** Bytes of the JSON behind the first 16 of a file; null when it is none of ours. */
export function headLength(first: Buffer): number | null {
  const ours = first.length === fileHeadBytes && first.toString('latin1', 0, 8) === title;
  return ours && first.readUInt32LE(8) === version ? first.readUInt32LE(12) : null;
}

/** Throws RUN_UNREADABLE when a list of words is not the beginning of ours. */
export function parseHead(json: Buffer, path: string): Head {
  const found = Head.safeParse(JSON.parse(json.toString('utf8')));
  const known = found.success
    ? Object.entries(words).every(([name, list]) => {
        const theirs = found.data.words[name] ?? [];
        return theirs.every((word, place) => word === list[place]);
      })
    : false;
  if (found.success && known) return found.data;
  throw new BerthError('RUN_UNREADABLE', { path, reason: 'its columns are not those of this version' });
}

export function encodeBlock(records: readonly RequestRecord[]): Buffer {
  const count = records.length;
  const notes = Buffer.from(records.map((record) => JSON.stringify(noteOf(record))).join('\n'));
  const held = records.map(({ gaps }) => (gaps.every(isShort) ? gaps : []));
  const gapCount = held.reduce((sum, { length }) => sum + length, 0);
  const place = placesOf(count, gapCount, ownHead);
  const bytes = place.notes + upTo8(notes.length);
  // Slow: a part of the pool would not begin at a multiple of eight.
  const block = Buffer.allocUnsafeSlow(blockHeadBytes + bytes).fill(0);
  [mark, bytes, count, gapCount, notes.length].forEach((value, i) => block.writeUInt32LE(value, 4 * i));
  const times = new Float64Array(block.buffer, blockHeadBytes, timeColumns.length * count);
  const numbers = new Int32Array(block.buffer, blockHeadBytes + place.numbers, numberColumns.length * count);
  const gaps = new Uint32Array(block.buffer, blockHeadBytes + place.gaps, gapCount);
  let gap = 0;
  records.forEach((record, i) => {
    timeColumns.forEach((name, column) => (times[column * count + i] = record[name] ?? Number.NaN));
    numbersOf(record).forEach((value, column) => (numbers[column * count + i] = value));
    const own = held[i] ?? [];
    gaps.set(own, gap);
    gap += own.length;
  });
  notes.copy(block, blockHeadBytes + place.notes);
  return block;
}

/** Where the parts of a block begin behind its head; the times are the first. */
function placesOf(
  count: number,
  gapCount: number,
  head: Head,
): { numbers: number; gaps: number; notes: number } {
  const numbers = 8 * head.times.length * count;
  const gaps = numbers + upTo8(4 * head.numbers.length * count);
  return { numbers, gaps, notes: gaps + upTo8(4 * gapCount) };
}

/** Bytes of the block that begins here, its own head included; null when it is not whole, or no block. */
export function blockLength(bytes: Buffer, offset: number): number | null {
  if (offset + blockHeadBytes > bytes.length || bytes.readUInt32LE(offset) !== mark) return null;
  return blockHeadBytes + bytes.readUInt32LE(offset + 4);
}

/** The records of a whole block, where they lie: the bytes must not be written again. */
export function decodeBlock(bytes: Buffer, offset: number, head: Head): SegmentParts {
  const count = bytes.readUInt32LE(offset + 8);
  const gapCount = bytes.readUInt32LE(offset + 12);
  const notesBytes = bytes.readUInt32LE(offset + 16);
  const from = bytes.byteOffset + offset + blockHeadBytes;
  const place = placesOf(count, gapCount, head);
  const times = new Float64Array(bytes.buffer, from, head.times.length * count);
  const numbers = new Int32Array(bytes.buffer, from + place.numbers, head.numbers.length * count);
  return {
    count,
    times: sameNames(head.times, timeColumns)
      ? times
      : moved(head.times, times, timeColumns, new Float64Array(timeColumns.length * count).fill(Number.NaN)),
    numbers: sameNames(head.numbers, numberColumns)
      ? numbers
      : moved(
          head.numbers,
          numbers,
          numberColumns,
          new Int32Array(numberColumns.length * count).fill(unknown),
        ),
    gaps: new Uint32Array(bytes.buffer, from + place.gaps, gapCount),
    notes: Buffer.from(bytes.buffer, from + place.notes, notesBytes),
  };
}

function sameNames(theirs: readonly string[], ours: readonly string[]): boolean {
  return theirs.length === ours.length && theirs.every((name, i) => name === ours[i]);
}

/** A file of another version may have other columns: what it lacks is unknown. */
function moved<Values extends Float64Array | Int32Array>(
  theirs: readonly string[],
  values: Values,
  ours: readonly string[],
  target: Values,
): Values {
  const count = target.length / ours.length;
  ours.forEach((name, column) => {
    const place = theirs.indexOf(name);
    if (place >= 0) target.set(values.subarray(place * count, (place + 1) * count), column * count);
  });
  return target;
}

/** Several as one: what was written record by record would else be an object of its own for each. */
export function joinParts(parts: readonly SegmentParts[]): SegmentParts {
  const [only] = parts;
  if (parts.length === 1 && only) return only;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const gaps = new Uint32Array(parts.reduce((sum, part) => sum + part.gaps.length, 0));
  const times = new Float64Array(timeColumns.length * count);
  const numbers = new Int32Array(numberColumns.length * count);
  let row = 0;
  let gap = 0;
  for (const part of parts) {
    spread(part.times, times, part.count, row);
    spread(part.numbers, numbers, part.count, row);
    gaps.set(part.gaps, gap);
    row += part.count;
    gap += part.gaps.length;
  }
  const lines = parts.flatMap((part, i) => (i === 0 ? [part.notes] : [newline, part.notes]));
  return { count, times, numbers, gaps, notes: Buffer.concat(lines) };
}

/** Puts the columns of a part into those of the whole, from one of its rows on. */
function spread<Values extends Float64Array | Int32Array>(
  part: Values,
  whole: Values,
  count: number,
  row: number,
): void {
  const columns = part.length / count;
  const all = whole.length / columns;
  for (let column = 0; column < columns; column += 1)
    whole.set(part.subarray(column * count, (column + 1) * count), column * all + row);
}

const newline = Buffer.from('\n');
