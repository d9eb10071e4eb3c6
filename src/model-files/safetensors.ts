import { z } from 'zod';
import { parseJson } from '../domain/json.ts';
import type { ByteSource } from '../io/byte-file.ts';

export interface SafetensorsHeader {
  readonly parameters: number;
  /** Elements by type of number, such as BF16. */
  readonly byType: Readonly<Record<string, number>>;
}

const Tensor = z.object({ dtype: z.string(), shape: z.array(z.number()) });
const largestHeader = 100 * 1024 * 1024;

/** The front of a safetensors file: eight bytes of length, then JSON with a type and shape for each tensor. Null where it is none. */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsHeader | null> {
  const prefix = await source.read(0, 8);
  if (prefix.length < 8) return null;
  const length = Number(prefix.readBigUInt64LE());
  if (length > largestHeader || length + 8 > source.size) return null;
  const text = (await source.read(0, 8 + length)).subarray(8).toString('utf8');
  const byType: Record<string, number> = {};
  for (const [name, value] of Object.entries(Object(parseJson(text)) as Record<string, unknown>)) {
    const tensor = name === '__metadata__' ? null : (Tensor.safeParse(value).data ?? null);
    if (tensor)
      byType[tensor.dtype] = (byType[tensor.dtype] ?? 0) + tensor.shape.reduce((n, one) => n * one, 1);
  }
  const parameters = Object.values(byType).reduce((sum, count) => sum + count, 0);
  return parameters === 0 ? null : { parameters, byType };
}
