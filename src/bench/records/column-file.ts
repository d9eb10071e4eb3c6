import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { openSource } from '../../io/byte-file.ts';
import type { ByteSource } from '../../io/byte-file.ts';
import {
  blockHeadBytes,
  blockLength,
  decodeBlock,
  fileHeadBytes,
  headLength,
  joinParts,
  parseHead,
} from './block.ts';
import type { Head } from './block.ts';
import { Segment } from './segment.ts';
import type { SegmentParts } from './segment.ts';

const pieceBytes = 2 ** 20;
const largeBlock = 2 ** 18;
/** Blocks of fewer records are joined. */
const smallBlock = 512;
const joined = 8192;

export function columnsPath(folder: string): string {
  return join(folder, 'records.columns');
}

interface Block {
  readonly offset: number;
  readonly parts: SegmentParts;
}

/** Null when there is no such file. A last block that a crash has cut is left out. */
export async function readSegments(path: string): Promise<Segment[] | null> {
  await using source = await openSource(path);
  if (!source) return null;
  const segments: Segment[] = [];
  let small: SegmentParts[] = [];
  let waiting = 0;
  function settle(): void {
    if (small.length > 0) segments.push(new Segment(joinParts(small)));
    small = [];
    waiting = 0;
  }
  for await (const { parts } of blocksOf(source)) {
    if (parts.count >= smallBlock) {
      settle();
      segments.push(new Segment(parts));
      continue;
    }
    small.push(parts);
    waiting += parts.count;
    if (waiting >= joined) settle();
  }
  settle();
  return segments;
}

/** Where the whole blocks end; 0 when there is no such file, or not even a whole head. */
export async function wholeBytes(path: string): Promise<number> {
  await using source = await openSource(path);
  if (!source) return 0;
  return await endOf(source);
}

/** Where the first block begins that has a record of this stage or a later one, and how many records lie before it. */
export async function stageStart(path: string, stage: number): Promise<{ offset: number; before: number }> {
  await using source = await openSource(path);
  if (!source) return { offset: 0, before: 0 };
  let before = 0;
  for await (const { offset, parts } of blocksOf(source)) {
    const rows = new Segment(parts).rows();
    if (rows.some((row) => row.stage >= stage)) return { offset, before };
    before += rows.length;
  }
  return { offset: await endOf(source), before };
}

async function endOf(source: ByteSource): Promise<number> {
  const head = await headOf(source);
  if (head === null) return 0;
  let end = head.bytes;
  for await (const { offset, bytes } of extents(source, head.bytes)) end = offset + bytes;
  return end;
}

async function headOf(source: ByteSource): Promise<{ head: Head; bytes: number } | null> {
  const first = await source.read(0, fileHeadBytes);
  if (first.length < fileHeadBytes) return null;
  const length = headLength(first);
  if (length === null)
    throw new BerthError('RUN_UNREADABLE', {
      path: source.path,
      reason: 'it is no file of records of this version',
    });
  const json = await source.read(fileHeadBytes, length);
  if (json.length < length) return null;
  return { head: parseHead(json, source.path), bytes: fileHeadBytes + length };
}

async function* blocksOf(source: ByteSource): AsyncGenerator<Block> {
  const found = await headOf(source);
  if (found === null) return;
  for await (const { piece, place, offset } of extents(source, found.bytes))
    yield { offset, parts: decodeBlock(piece, place, found.head) };
}

/** Whole blocks, in pieces that hold several; each piece is a buffer of its own. */
async function* extents(
  source: ByteSource,
  from: number,
): AsyncGenerator<{ piece: Buffer; place: number; offset: number; bytes: number }> {
  let offset = from;
  let wanted = pieceBytes;
  while (offset + blockHeadBytes <= source.size) {
    const piece = await source.read(offset, wanted);
    let place = 0;
    for (;;) {
      const bytes = blockLength(piece, place);
      if (bytes === null || place + bytes > piece.length) break;
      yield { piece, place, offset: offset + place, bytes };
      place += bytes;
    }
    const next = blockLength(piece, place);
    if (next === null && piece.length - place >= blockHeadBytes)
      throw new BerthError('RUN_UNREADABLE', {
        path: source.path,
        reason: `there is no block of records at byte ${offset + place}`,
      });
    // The last block was cut.
    if (offset + piece.length >= source.size && (next === null || offset + place + next > source.size))
      return;
    // With the head of the one behind it, so that a large block is read once, and nothing beside it is held.
    wanted = next === null || next < largeBlock ? pieceBytes : next + blockHeadBytes;
    offset += place;
  }
}
