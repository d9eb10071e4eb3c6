import type { LlamaShape } from '../domain/fit/llama-memory.ts';
import { tensorBytes } from './gguf-types.ts';
import type { GgufHeader, GgufValue } from './gguf-types.ts';

/** What a header tells of a model's size; null where it lacks the keys, as recurrent models do. */
export function llamaShape(header: GgufHeader): LlamaShape | null {
  const architecture = header.metadata.get('general.architecture');
  function number(name: string): number | null {
    const value = header.metadata.get(`${String(architecture)}.${name}`);
    return typeof value === 'number' ? value : null;
  }
  const layers = number('block_count');
  const embedding = number('embedding_length');
  const heads = largest(header.metadata.get(`${String(architecture)}.attention.head_count`));
  const feedForward = largest(header.metadata.get(`${String(architecture)}.feed_forward_length`));
  const sizes = header.tensors.map((tensor) => ({ name: tensor.name, bytes: tensorBytes(tensor) }));
  if (!layers || !embedding || !heads || feedForward === null || sizes.some((one) => one.bytes === null))
    return null;
  const keyHeads = header.metadata.get(`${String(architecture)}.attention.head_count_kv`);
  const head = Math.floor(embedding / heads);
  const vocabulary = header.metadata.get('tokenizer.ggml.tokens');
  return {
    weightsBytes: total(sizes),
    inputBytes: total(sizes.filter((one) => one.name.startsWith('token_embd.'))),
    layers,
    embedding,
    feedForward,
    heads,
    keyHeads: perLayer(keyHeads, layers, heads),
    keyLength: number('attention.key_length') ?? head,
    valueLength: number('attention.value_length') ?? head,
    vocabulary: Array.isArray(vocabulary) ? vocabulary.length : 0,
    expertsUsed: number('expert_used_count') ?? 1,
  };
}

function total(sizes: readonly { bytes: number | null }[]): number {
  return sizes.reduce((sum, one) => sum + (one.bytes ?? 0), 0);
}

/** Some models say it once, some for each layer. */
function largest(value: GgufValue | undefined): number | null {
  const numbers = (Array.isArray(value) ? value : [value]).map(Number).filter((one) => one >= 0);
  return numbers.length === 0 ? null : Math.max(...numbers);
}

function perLayer(value: GgufValue | undefined, layers: number, heads: number): number[] {
  const list = Array.isArray(value) ? value.map(Number) : null;
  const one = typeof value === 'number' ? value : heads;
  return Array.from({ length: layers }, (_, layer) => list?.[layer] ?? one);
}
