import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import { parseJson } from '../domain/json.ts';
import { openSource } from '../io/byte-file.ts';
import type { ByteSource } from '../io/byte-file.ts';

export interface SafetensorsHeader {
  /** Null where several weights are packed into one number and nothing tells how many. */
  readonly parameters: number | null;
}

const Tensor = z.object({
  dtype: z.string(),
  shape: z.array(z.number()),
  data_offsets: z.tuple([z.number(), z.number()]).optional(),
});
const largestHeader = 100 * 1024 * 1024;

/**
 * The front of a safetensors file: eight bytes of length, then JSON with a type and shape for each tensor. Null where it is none.
 * `weightBits` is what one weight has where they are packed, as the model's configuration tells.
 */
export async function readSafetensors(
  source: ByteSource,
  weightBits: number | null,
): Promise<SafetensorsHeader | null> {
  const front = await readFront(source);
  if (!front || front.tensors.length === 0) return null;
  const counts = front.tensors.map((tensor) => weightsIn(tensor, weightBits));
  return {
    parameters: counts.includes(null) ? null : counts.reduce<number>((sum, count) => sum + (count ?? 0), 0),
  };
}

type Tensor = z.infer<typeof Tensor> & { readonly name: string };

/** What stands beside packed weights to unpack them: no weights. GPTQ, AWQ, compressed-tensors, bitsandbytes, MXFP4. */
const helper =
  /(?:^|[._])(?:qzeros|scales|g_idx|weight_(?:scale|scale_2|scale_inv|zero_point|shape|g_idx|global_scale)|input_(?:scale|global_scale|zero_point)|SCB|weight_format|absmax|quant_map|nested_absmax|nested_quant_map|quant_state[.\w]*)$/;
const packed = /(?:\.qweight|\.weight_packed|_blocks)$/;
const bitsOfType: Readonly<Record<string, number>> = { U8: 8, I8: 8, I16: 16, I32: 32, I64: 64 };

function weightsIn({ name, dtype, shape }: Tensor, weightBits: number | null): number | null {
  if (helper.test(name)) return 0;
  const count = shape.reduce((n, one) => n * one, 1);
  const holds = bitsOfType[dtype];
  // Bytes without a sign are no numbers that a model calculates with.
  const isPacked = holds !== undefined && (packed.test(name) || (dtype === 'U8' && name.endsWith('.weight')));
  if (!isPacked) return count;
  return weightBits === null ? null : Math.round((count * holds) / weightBits);
}

interface Front {
  /** Where the numbers begin. */
  readonly bytes: number;
  readonly tensors: readonly Tensor[];
}

async function readFront(source: ByteSource): Promise<Front | null> {
  const prefix = await source.read(0, 8);
  if (prefix.length < 8) return null;
  const length = Number(prefix.readBigUInt64LE());
  if (length > largestHeader || length + 8 > source.size) return null;
  const text = (await source.read(0, 8 + length)).subarray(8).toString('utf8');
  const named = Object.entries(Object(parseJson(text)) as Record<string, unknown>);
  const tensors = named.flatMap(([name, value]) => {
    const tensor = name === '__metadata__' ? undefined : Tensor.safeParse(value).data;
    return tensor ? [{ name, ...tensor }] : [];
  });
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
