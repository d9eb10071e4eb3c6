import { byteLetters } from './byte-letters.ts';
import { randomBits } from './random-bits.ts';

/** A byte-level BPE vocabulary. The id of a token is its index; the specials come last. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  /** Pairs in order of rank, "left right". */
  readonly merges: readonly string[];
  readonly specials: {
    readonly begin: number;
    readonly turnStart: number;
    readonly turnEnd: number;
    readonly padding: number;
  };
}

const specialTokens = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>'] as const;
const space = byteLetters[0x20] as string;

/** Letters as English uses them, often ones first, so that plain text is cut into pieces and not into bytes. */
const onsets = 't s r c d p m b l f n h g w v th st tr pr ch sh pl gr br cl sp fr cr qu dr fl'.split(' ');
const nuclei = 'e a i o u ea ou io ai ee oo ie y'.split(' ');
const codas = 'n r s t l d m c nd ng nt st ck ll ss rs ct rd'.split(' ');

/**
 * Builds a vocabulary of `size` tokens from the seed: bytes, letter pairs, syllables, then words of two or three
 * syllables, with and without a leading space. Every token but the bytes is one merge of two earlier ones.
 */
export function makeVocabulary(size: number, seed: number): Vocabulary {
  const tokens: string[] = [...byteLetters];
  const merges: string[] = [];
  const known = new Set(tokens);
  const wanted = size - specialTokens.length;
  function merge(left: string, right: string): string {
    const whole = left + right;
    if (known.has(whole) || tokens.length >= wanted) return whole;
    known.add(whole);
    tokens.push(whole);
    merges.push(`${left} ${right}`);
    return whole;
  }
  for (const part of [...onsets, ...nuclei, ...codas]) joinLetters(part, merge);
  for (const onset of onsets) merge(space, onset);
  const syllables = makeSyllables(merge);
  const next = randomBits(seed);
  function pick(): string {
    // The product of two draws favours the front of the list, as language favours its common syllables.
    const at = Math.floor((next() / 2 ** 32) * (next() / 2 ** 32) * syllables.length);
    return syllables[at] as string;
  }
  for (let idle = 0; tokens.length < wanted && idle < 1_000_000; idle += 1) {
    const word = merge(pick(), pick());
    merge(space, word);
    if (next() % 3 === 0) merge(word, pick());
  }
  while (tokens.length < wanted) tokens.push(`<unused${tokens.length}>`);
  const begin = tokens.length;
  tokens.push(...specialTokens);
  return {
    tokens,
    merges,
    specials: { begin, turnStart: begin + 1, turnEnd: begin + 2, padding: begin + 3 },
  };
}

type Merge = (left: string, right: string) => string;

function joinLetters(part: string, merge: Merge): void {
  const [first, ...rest] = part;
  rest.reduce((left, right) => merge(left, right), first as string);
}

function makeSyllables(merge: Merge): string[] {
  const open = onsets.flatMap((onset) => nuclei.map((nucleus) => merge(onset, nucleus)));
  const closed = nuclei.flatMap((nucleus) => codas.map((coda) => merge(nucleus, coda)));
  return [...open, ...closed].filter((syllable) => syllable.length > 1);
}

/** The same vocabulary as a Hugging Face `tokenizer.json`, for tools that read no GGUF. */
export function tokenizerJson(vocabulary: Vocabulary): string {
  const special = new Set(Object.values(vocabulary.specials));
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...special].map((id) => ({
      id,
      content: vocabulary.tokens[id],
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(
        vocabulary.tokens.flatMap((token, id) => (special.has(id) ? [] : [[token, id]])),
      ),
      merges: vocabulary.merges.map((pair) => pair.split(' ')),
    },
  });
}
