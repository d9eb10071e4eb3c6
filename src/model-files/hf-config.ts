import { z } from 'zod';
import { parseJson } from '../domain/json.ts';

/** The part of a model's config.json that tells what it is. Models that see have the text model's part below `text_config`. */
const Text = z.object({
  max_position_embeddings: z.number().nullish(),
  n_positions: z.number().nullish(),
  torch_dtype: z.string().nullish(),
  dtype: z.string().nullish(),
});
const Config = Text.extend({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
  quantization_config: z.object({ quant_method: z.string().nullish(), bits: z.number().nullish() }).nullish(),
  text_config: Text.nullish(),
});

export interface HfConfig {
  readonly architecture: string | null;
  readonly context: number | null;
  /** "awq 4 bit", else the type of number that weights have. */
  readonly quantization: string | null;
}

/** Null where the text is no such file. */
export function readHfConfig(text: string): HfConfig | null {
  const config = Config.safeParse(parseJson(text)).data;
  if (!config) return null;
  const inner = config.text_config ?? {};
  const method = config.quantization_config?.quant_method;
  const bits = config.quantization_config?.bits;
  return {
    architecture: config.architectures?.[0] ?? config.model_type ?? null,
    context: config.max_position_embeddings ?? inner.max_position_embeddings ?? config.n_positions ?? null,
    quantization: method
      ? `${method}${bits ? ` ${bits} bit` : ''}`
      : (config.torch_dtype ?? config.dtype ?? inner.torch_dtype ?? inner.dtype ?? null),
  };
}
