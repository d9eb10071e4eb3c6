import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { parseJson } from '../domain/json.ts';
import { openSource } from '../io/byte-file.ts';
import type { ByteSource } from '../io/byte-file.ts';

export interface SafetensorsHeader {
  readonly parameters: number;
  /** Elements by type of number, such as BF16. */
  readonly byType: Readonly<Record<string, number>>;
}

const Tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.number()),
  data_offsets: z.tuple([z.number(), z.number()]).optional(),
});
const largestHeader = 100 * 1024 * 1024;

/** The front of a safetensors file: eight bytes of length, then JSON with a type and shape for each tensor. Null where it is none. */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsHeader | null> {
  const front = await readFront(source);
  const byType: Record<string, number> = {};
  for (const { dtype, shape } of front?.tensors ?? [])
    byType[dtype] = (byType[dtype] ?? 0) + shape.reduce((n, one) => n * one, 1);
  const parameters = Object.values(byType).reduce((sum, count) => sum + count, 0);
  return parameters === 0 ? null : { parameters, byType };
}

interface Front {
  /** Where the numbers begin. */
  readonly bytes: number;
  readonly tensors: readonly z.infer<typeof Tensor>[];
}

async function readFront(source: ByteSource): Promise<Front | null> {
  const prefix = await source.read(0, 8);
  if (prefix.length < 8) return null;
  const length = Number(prefix.readBigUInt64LE());
  if (length > largestHeader || length + 8 > source.size) return null;
  const text = (await source.read(0, 8 + length)).subarray(8).toString('utf8');
  const named = Object.entries(Object(parseJson(text)) as Record<string, unknown>);
  const tensors = named.flatMap(([name, value]) =>
    name === '__metadata__' ? [] : (Tensor.safeParse(value).data ?? []),
  );
  return { bytes: 8 + length, tensors };
}

/** That a file is one, and ends where its front says. Throws SAFETENSORS_BROKEN. */
export async function checkSafetensors(path: string): Promise<void> {
  await using source = await openSource(path);
  const front = source && (await readFront(source));
  if (!source || !front || front.tensors.length === 0)
    throw new BerthError('SAFETENSORS_BROKEN', { path, detail: 'its front names no tensors' });
  const end = front.bytes + Math.max(...front.tensors.map(({ data_offsets: at }) => at?.[1] ?? 0));
  if (source.size !== end)
    throw new BerthError('SAFETENSORS_BROKEN', {
      path,
      detail: `it has ${source.size} bytes, and its front tells of ${end}`,
    });
}
