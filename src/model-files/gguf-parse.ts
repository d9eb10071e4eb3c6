import type { GgufHeader, GgufScalar, GgufTensor, GgufValue } from './gguf-types.ts';
import { valueTypes } from './gguf-types.ts';

/** The bytes at hand end before the header does. */
export class MoreNeeded extends Error {
  override readonly name = 'MoreNeeded';
}

/** The bytes cannot be a header; the message is the second half of a sentence. */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

const largestCount = 1_000_000;
const largestArray = 10_000_000;
const largestString = 64 * 1024 * 1024;

/**
 * Parses a GGUF header (versions 2 and 3, little endian) from the front of a file.
 * Unknown keys and tensor types are kept as they are. Throws MoreNeeded and Malformed.
 */
export function parseGguf(bytes: Buffer): GgufHeader {
  const cursor = createCursor(bytes);
  cursor.skip(4);
  const version = cursor.u32();
  if (version < 2 || version > 3) throw new Malformed(`its version is ${version}, known are 2 and 3`);
  const tensorCount = cursor.count('tensors', largestCount);
  const keyCount = cursor.count('keys', largestCount);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < keyCount; i += 1) {
    const key = cursor.string();
    metadata.set(key, readValue(cursor, cursor.u32(), key));
  }
  const tensors: GgufTensor[] = [];
  for (let i = 0; i < tensorCount; i += 1) tensors.push(readTensor(cursor));
  const alignment = metadata.get('general.alignment') ?? 32;
  if (typeof alignment !== 'number' || alignment < 1) throw new Malformed('general.alignment is no size');
  return { version, metadata, tensors, dataOffset: Math.ceil(cursor.position() / alignment) * alignment };
}

function readTensor(cursor: Cursor): GgufTensor {
  const name = cursor.string();
  const dimensions = cursor.u32();
  if (dimensions > 8) throw new Malformed(`tensor ${printable(name)} has ${dimensions} dimensions`);
  const shape: number[] = [];
  for (let i = 0; i < dimensions; i += 1) shape.push(cursor.size());
  return { name, shape, type: cursor.u32(), offset: cursor.size() };
}

function readValue(cursor: Cursor, type: number, key: string): GgufValue {
  if (type !== valueTypes.array) return readScalar(cursor, type, key);
  const elementType = cursor.u32();
  if (elementType === valueTypes.array) throw new Malformed(`${printable(key)} nests arrays`);
  const length = cursor.count(`elements of ${printable(key)}`, largestArray);
  const values: GgufScalar[] = [];
  for (let i = 0; i < length; i += 1) values.push(readScalar(cursor, elementType, key));
  return values;
}

function readScalar(cursor: Cursor, type: number, key: string): GgufScalar {
  const read = cursor.scalars[type];
  if (!read) throw new Malformed(`${printable(key)} has the unknown value type ${type}`);
  return read();
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}

interface Cursor {
  readonly position: () => number;
  readonly skip: (length: number) => void;
  readonly u32: () => number;
  /** A 64-bit size that a number holds exactly. */
  readonly size: () => number;
  readonly count: (what: string, limit: number) => number;
  readonly string: () => string;
  /** Readers by value type. */
  readonly scalars: Readonly<Record<number, () => GgufScalar>>;
}

function createCursor(bytes: Buffer): Cursor {
  let at = 0;
  function take(length: number): number {
    if (at + length > bytes.length) throw new MoreNeeded('');
    const start = at;
    at += length;
    return start;
  }
  function u32(): number {
    return bytes.readUInt32LE(take(4));
  }
  function size(): number {
    const value = bytes.readBigUInt64LE(take(8));
    if (value > Number.MAX_SAFE_INTEGER) throw new Malformed(`the size ${value} is out of all bounds`);
    return Number(value);
  }
  function count(what: string, limit: number): number {
    const value = size();
    if (value > limit) throw new Malformed(`it announces ${value} ${what}`);
    return value;
  }
  function string(): string {
    const length = count('bytes in one string', largestString);
    const start = take(length);
    return bytes.toString('utf8', start, start + length);
  }
  function exact(value: bigint): number | bigint {
    return value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER ? Number(value) : value;
  }
  const scalars = {
    [valueTypes.u8]: () => bytes.readUInt8(take(1)),
    [valueTypes.i8]: () => bytes.readInt8(take(1)),
    [valueTypes.u16]: () => bytes.readUInt16LE(take(2)),
    [valueTypes.i16]: () => bytes.readInt16LE(take(2)),
    [valueTypes.u32]: u32,
    [valueTypes.i32]: () => bytes.readInt32LE(take(4)),
    [valueTypes.f32]: () => bytes.readFloatLE(take(4)),
    [valueTypes.bool]: () => bytes.readUInt8(take(1)) !== 0,
    [valueTypes.string]: string,
    [valueTypes.u64]: () => exact(bytes.readBigUInt64LE(take(8))),
    [valueTypes.i64]: () => exact(bytes.readBigInt64LE(take(8))),
    [valueTypes.f64]: () => bytes.readDoubleLE(take(8)),
  };
  return { position: () => at, skip: (length) => void take(length), u32, size, count, string, scalars };
}
