import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import type { Tokenizer } from './tokenizer.ts';

const Settings = z.looseObject({});

/**
 * A `tokenizer.json` as Hugging Face writes it, or the folder of one; its `tokenizer_config.json` beside it is heeded.
 * Throws FILE_MISSING and TOKENIZER_INVALID.
 */
export async function openLocalTokenizer({ files }: World, path: string): Promise<Tokenizer> {
  const file = path.endsWith('.json') ? path : join(path, 'tokenizer.json');
  const text = await files.read(file);
  if (text === null) throw new BerthError('FILE_MISSING', { path: file, what: 'tokenizer' });
  const settings = await files.read(join(dirname(file), 'tokenizer_config.json'));
  // Loaded when it is used: most servers count themselves.
  const { Tokenizer: Made } = await import('@huggingface/tokenizers');
  try {
    const made = new Made(
      Settings.parse(JSON.parse(text)),
      settings === null ? {} : Settings.parse(JSON.parse(settings)),
    );
    function count(of: string): number {
      return made.encode(of, { add_special_tokens: false }).ids.length;
    }
    count('one two three');
    const sha256 = createHash('sha256').update(text).digest('hex');
    return { name: `${file} (SHA-256 ${sha256})`, count: (of) => Promise.resolve(count(of)) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BerthError('TOKENIZER_INVALID', { path: file, reason }, { cause: error });
  }
}
