import { createSink } from '../io/byte-file.ts';
import { tensorBytes, valueTypes } from './gguf-types.ts';

/** A value with the type that the file is to carry. Arrays name the type of their elements. */
export type TypedValue =
  | { readonly type: 'u32' | 'i32' | 'f32'; readonly value: number }
  | { readonly type: 'bool'; readonly value: boolean }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'i32s'; readonly value: readonly number[] };

export interface TensorPlan {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  /** The data, in parts, in order; together exactly as many bytes as shape and type say. */
  readonly data: () => Iterable<Uint8Array>;
}

export interface GgufPlan {
  readonly metadata: readonly (readonly [key: string, value: TypedValue])[];
  readonly tensors: readonly TensorPlan[];
}

const alignment = 32;

/** Writes a GGUF file (version 3) whole or not at all; the weights never lie in memory together. Gives its size. */
export async function writeGguf(path: string, plan: GgufPlan): Promise<number> {
  await using sink = await createSink(path);
  const head = header(plan);
  let written = head.length;
  await sink.write(head);
  for (const tensor of plan.tensors) {
    let bytes = 0;
    for (const part of tensor.data()) {
      await sink.write(part);
      bytes += part.length;
    }
    if (bytes !== tensorBytes(tensor)) throw new Error(`tensor ${tensor.name} got ${bytes} bytes`);
    const padding = padded(bytes) - bytes;
    if (padding > 0) await sink.write(Buffer.alloc(padding));
    written += bytes + padding;
  }
  await sink.commit();
  return written;
}

function padded(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

function header(plan: GgufPlan): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(plan.tensors.length), u64(plan.metadata.length)];
  for (const [key, value] of plan.metadata) parts.push(text(key), ...valueBytes(value));
  let offset = 0;
  for (const tensor of plan.tensors) {
    const bytes = tensorBytes(tensor);
    if (bytes === null || !Number.isInteger(bytes))
      throw new Error(`tensor ${tensor.name}: a row is no whole number of blocks`);
    parts.push(text(tensor.name), u32(tensor.shape.length));
    parts.push(...tensor.shape.map(u64), u32(tensor.type), u64(offset));
    offset += padded(bytes);
  }
  const bytes = Buffer.concat(parts);
  return Buffer.concat([bytes, Buffer.alloc(padded(bytes.length) - bytes.length)]);
}

function valueBytes(value: TypedValue): Buffer[] {
  switch (value.type) {
    case 'u32':
      return [u32(valueTypes.u32), u32(value.value)];
    case 'i32':
      return [u32(valueTypes.i32), i32(value.value)];
    case 'f32':
      return [u32(valueTypes.f32), f32(value.value)];
    case 'bool':
      return [u32(valueTypes.bool), Buffer.from([value.value ? 1 : 0])];
    case 'string':
      return [u32(valueTypes.string), text(value.value)];
    case 'strings':
      return [...arrayHead(valueTypes.string, value.value.length), ...value.value.map(text)];
    case 'i32s':
      return [...arrayHead(valueTypes.i32, value.value.length), ...value.value.map(i32)];
  }
}

function arrayHead(elementType: number, length: number): Buffer[] {
  return [u32(valueTypes.array), u32(elementType), u64(length)];
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function i32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8');
  return Buffer.concat([u64(bytes.length), bytes]);
}
