import { BerthError } from '../domain/errors/berth-error.ts';
import type { GgufHeader } from './gguf-types.ts';

/**
 * Refuses a model whose header lacks what llama.cpp cannot do without. For some of these keys it gives an error,
 * for the head count and the feed-forward length it aborts the whole process, so they are asked for beforehand.
 */
export function checkRunnable(header: GgufHeader, path: string): void {
  const architecture = header.metadata.get('general.architecture');
  if (typeof architecture !== 'string')
    throw new BerthError('GGUF_KEY_MISSING', { path, key: 'general.architecture' });
  for (const key of requiredKeys(architecture, header)) {
    if (!header.metadata.has(key)) throw new BerthError('GGUF_KEY_MISSING', { path, key });
  }
  for (const key of positiveKeys(architecture)) {
    const value = header.metadata.get(key);
    const numbers = Array.isArray(value) ? value : [value];
    if (value !== undefined && !numbers.some((n) => Number(n) > 0))
      throw new BerthError('GGUF_BROKEN', { path, detail: `${key} is ${String(value)}` });
  }
  if (header.tensors.length === 0) throw new BerthError('GGUF_BROKEN', { path, detail: 'it has no tensors' });
}

function positiveKeys(architecture: string): string[] {
  return ['context_length', 'embedding_length', 'block_count', 'attention.head_count'].map(
    (name) => `${architecture}.${name}`,
  );
}

function requiredKeys(architecture: string, header: GgufHeader): string[] {
  const keys = [
    `${architecture}.context_length`,
    `${architecture}.embedding_length`,
    `${architecture}.block_count`,
    'tokenizer.ggml.model',
  ];
  // Other architectures (recurrent ones, encoders) have their own sets; these are what the llama family reads.
  if (llamaFamily.has(architecture)) {
    keys.push(`${architecture}.attention.head_count`, `${architecture}.feed_forward_length`);
    keys.push(`${architecture}.attention.layer_norm_rms_epsilon`);
  }
  const tokenizer = header.metadata.get('tokenizer.ggml.model');
  if (tokenizer !== 'none' && tokenizer !== 'no_vocab') keys.push('tokenizer.ggml.tokens');
  if (tokenizer === 'gpt2') keys.push('tokenizer.ggml.merges');
  return keys;
}

const llamaFamily: ReadonlySet<string> = new Set(['llama', 'qwen2', 'qwen3', 'gemma', 'gemma2', 'gemma3']);
