import { z } from 'zod';
import { parseJson } from '../domain/json.ts';

/** The part of a model's config.json that tells what it is. Models that see have the text model's part below `text_config`. */
const Text = z.object({
  max_position_embeddings: z.number().nullish(),
  n_positions: z.number().nullish(),
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
});
const Quantization = z.object({
  quant_method: z.string().nullish(),
  bits: z.number().nullish(),
  w_bit: z.number().nullish(),
  load_in_4bit: z.boolean().nullish(),
  config_groups: z
    .record(z.string(), z.object({ weights: z.object({ num_bits: z.number().nullish() }).nullish() }))
    .nullish()
    .catch(null),
});
const Config = Text.extend({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  quantization_config: Quantization.nullish(),
  text_config: Text.nullish(),
});

export interface HfConfig {
  readonly architecture: string | null;
  readonly context: number | null;
  /** "awq 4 bit", else the type of number that weights have. */
  readonly quantization: string | null;
  /** That one weight has where several are packed into one number; null where it does not say, or says several. */
  readonly weightBits: number | null;
}

/** Null where the text is no such file. */
export function readHfConfig(text: string): HfConfig | null {
  const config = Config.safeParse(parseJson(text)).data;
  if (!config) return null;
  const inner = config.text_config ?? {};
  const method = config.quantization_config?.quant_method;
  const bits = bitsOf(config.quantization_config ?? {});
  return {
    architecture: config.architectures?.[0] ?? config.model_type ?? null,
    context: config.max_position_embeddings ?? inner.max_position_embeddings ?? config.n_positions ?? null,
    quantization: method
      ? `${method}${bits ? ` ${bits} bit` : ''}`
      : (config.torch_dtype ?? config.dtype ?? inner.torch_dtype ?? inner.dtype ?? null),
    weightBits: bits,
  };
}

function bitsOf(quantization: z.infer<typeof Quantization>): number | null {
  const {
    quant_method: method,
    bits,
    w_bit: awqBits,
    load_in_4bit: four,
    config_groups: groups,
  } = quantization;
  const each = new Set(Object.values(groups ?? {}).flatMap(({ weights }) => weights?.num_bits ?? []));
  const [shared = null] = each.size === 1 ? each : [];
  return bits ?? awqBits ?? shared ?? (four || method === 'mxfp4' ? 4 : null);
}
