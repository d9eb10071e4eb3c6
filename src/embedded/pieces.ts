import { letterBytes } from '../model-files/byte-letters.ts';
import type { GgufHeader } from '../model-files/gguf-types.ts';

/** The bytes that a token stands for in the text; none for control tokens. */
export type Pieces = (token: number) => Uint8Array;

/** Codes of `tokenizer.ggml.token_type`. */
const kinds = { unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

/**
 * Reads the vocabulary of byte-level (gpt2) and sentencepiece (llama) models from the header, each token on first use.
 * Null for other tokenizers: there only the engine knows.
 */
export function piecesOf(header: GgufHeader, options: { special: boolean }): Pieces | null {
  const tokenizer = header.metadata.get('tokenizer.ggml.model');
  const tokens = header.metadata.get('tokenizer.ggml.tokens');
  const types = header.metadata.get('tokenizer.ggml.token_type');
  if ((tokenizer !== 'gpt2' && tokenizer !== 'llama') || !Array.isArray(tokens)) return null;
  const known = new Map<number, Uint8Array>();
  return (token) => {
    let bytes = known.get(token);
    if (!bytes) {
      const kind = Array.isArray(types) ? Number(types[token]) : 1;
      bytes = pieceBytes(String(tokens[token] ?? ''), kind, tokenizer, options.special);
      known.set(token, bytes);
    }
    return bytes;
  };
}

function pieceBytes(text: string, kind: number, tokenizer: 'gpt2' | 'llama', special: boolean): Uint8Array {
  if (kind === kinds.control || kind === kinds.unknown) return Buffer.from(special ? text : '', 'utf8');
  if (kind === kinds.unused) return Buffer.alloc(0);
  if (kind === kinds.userDefined) return Buffer.from(text, 'utf8');
  if (tokenizer === 'gpt2') return fromLetters(text);
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)?.[1];
  if (kind === kinds.byte && hex) return Buffer.from(hex, 'hex');
  return Buffer.from(text.replaceAll('\u2581', ' '), 'utf8');
}

/** A letter outside the scheme stands for itself. */
function fromLetters(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const letter of text) {
    const byte = letterBytes.get(letter);
    if (byte === undefined) bytes.push(...Buffer.from(letter, 'utf8'));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
