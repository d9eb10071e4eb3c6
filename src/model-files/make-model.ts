import { dirname, join } from 'node:path';
import type { Files } from '../io/files.ts';
import type { GgufPlan, TensorPlan, TypedValue } from './gguf-write.ts';
import { writeGguf } from './gguf-write.ts';
import { elementCount } from './gguf-types.ts';
import { ones, randomHalf, randomQ8 } from './random-weights.ts';
import { makeVocabulary, tokenizerJson } from './vocabulary.ts';
import type { Vocabulary } from './vocabulary.ts';

interface Shape {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly context: number;
}

/**
 * Sizes that are offered, by their count of weights. Heads are 64 or 128 wide: llama.cpp's attention is several times
 * slower at odd widths. The two larger ones suit the 256-wide blocks of the K quantizations.
 */
export const modelShapes = {
  '1M': { width: 128, layers: 4, heads: 2, keyHeads: 2, feedForward: 256, vocabulary: 2048, context: 2048 },
  '15M': {
    width: 320,
    layers: 6,
    heads: 5,
    keyHeads: 5,
    feedForward: 768,
    vocabulary: 16_000,
    context: 4096,
  },
  '100M': {
    width: 768,
    layers: 12,
    heads: 12,
    keyHeads: 12,
    feedForward: 2048,
    vocabulary: 16_000,
    context: 8192,
  },
  '500M': {
    width: 1536,
    layers: 16,
    heads: 12,
    keyHeads: 4,
    feedForward: 4864,
    vocabulary: 16_000,
    context: 8192,
  },
} as const satisfies Record<string, Shape>;
export type ModelSize = keyof typeof modelShapes;
export type WeightType = 'q8_0' | 'f16';

const typeCodes = { q8_0: { tensor: 8, file: 7 }, f16: { tensor: 1, file: 1 } } as const;

const chatTemplate =
  '{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}' +
  '{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}';

export interface MadeModel {
  readonly path: string;
  readonly tokenizer: string;
  readonly bytes: number;
  readonly parameters: number;
}

/**
 * Writes a llama-architecture model with random weights, and its `tokenizer.json` beside it. The same size, type and
 * seed give the same bytes. Its text is noise: it is for load, benchmarks and tests.
 */
export async function makeModel(
  files: Files,
  wanted: { size: ModelSize; type: WeightType; seed: number; path: string },
): Promise<MadeModel> {
  const shape: Shape = modelShapes[wanted.size];
  const vocabulary = makeVocabulary(shape.vocabulary, wanted.seed);
  const plan: GgufPlan = {
    metadata: metadataOf(shape, vocabulary, wanted),
    tensors: tensorsOf(shape, wanted.type, wanted.seed),
  };
  const bytes = await writeGguf(wanted.path, plan);
  const tokenizer = join(dirname(wanted.path), 'tokenizer.json');
  await files.write(tokenizer, tokenizerJson(vocabulary), 0o644);
  const parameters = plan.tensors.reduce((sum, tensor) => sum + elementCount(tensor.shape), 0);
  return { path: wanted.path, tokenizer, bytes, parameters };
}

function metadataOf(
  shape: Shape,
  vocabulary: Vocabulary,
  wanted: { size: ModelSize; type: WeightType; seed: number },
): [string, TypedValue][] {
  const { specials, tokens, merges } = vocabulary;
  const types = tokens.map((token, id) => (id >= specials.begin ? 3 : token.startsWith('<unused') ? 5 : 1));
  function u32(value: number): TypedValue {
    return { type: 'u32', value };
  }
  function string(value: string): TypedValue {
    return { type: 'string', value };
  }
  return [
    ['general.architecture', string('llama')],
    ['general.name', string(`random-${wanted.size.toLowerCase()}-seed-${wanted.seed}`)],
    ['general.type', string('model')],
    ['general.size_label', string(wanted.size)],
    ['general.quantization_version', u32(2)],
    ['general.file_type', u32(typeCodes[wanted.type].file)],
    ['llama.context_length', u32(shape.context)],
    ['llama.embedding_length', u32(shape.width)],
    ['llama.block_count', u32(shape.layers)],
    ['llama.feed_forward_length', u32(shape.feedForward)],
    ['llama.attention.head_count', u32(shape.heads)],
    ['llama.attention.head_count_kv', u32(shape.keyHeads)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'f32', value: 1e-5 }],
    ['llama.rope.dimension_count', u32(shape.width / shape.heads)],
    ['llama.rope.freq_base', { type: 'f32', value: 10_000 }],
    ['llama.vocab_size', u32(tokens.length)],
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('gpt-2')],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: types }],
    ['tokenizer.ggml.merges', { type: 'strings', value: merges }],
    ['tokenizer.ggml.bos_token_id', u32(specials.begin)],
    ['tokenizer.ggml.eos_token_id', u32(specials.turnEnd)],
    ['tokenizer.ggml.padding_token_id', u32(specials.padding)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.chat_template', string(chatTemplate)],
  ];
}

/** Weights are spread by 1/sqrt(inputs), which keeps activations near one; an output of its own keeps the noise varied. */
function tensorsOf(shape: Shape, type: WeightType, seed: number): TensorPlan[] {
  const { width, feedForward } = shape;
  const keyWidth = (width / shape.heads) * shape.keyHeads;
  const plans: TensorPlan[] = [];
  function weights(name: string, inputs: number, outputs: number, deviation = 1 / Math.sqrt(inputs)): void {
    const count = inputs * outputs;
    const own = seed * 1_000 + plans.length;
    const fill = type === 'q8_0' ? randomQ8 : randomHalf;
    plans.push({
      name: `${name}.weight`,
      shape: [inputs, outputs],
      type: typeCodes[type].tensor,
      data: () => fill(count, deviation, own),
    });
  }
  function norm(name: string): void {
    plans.push({ name: `${name}.weight`, shape: [width], type: 0, data: () => ones(width) });
  }
  weights('token_embd', width, shape.vocabulary, 0.5);
  norm('output_norm');
  weights('output', width, shape.vocabulary);
  for (let layer = 0; layer < shape.layers; layer += 1) {
    const block = `blk.${layer}`;
    norm(`${block}.attn_norm`);
    weights(`${block}.attn_q`, width, width);
    weights(`${block}.attn_k`, width, keyWidth);
    weights(`${block}.attn_v`, width, keyWidth);
    weights(`${block}.attn_output`, width, width);
    norm(`${block}.ffn_norm`);
    weights(`${block}.ffn_gate`, width, feedForward);
    weights(`${block}.ffn_up`, width, feedForward);
    weights(`${block}.ffn_down`, feedForward, width);
  }
  return plans;
}
