import { z } from 'zod';
import { seededRandom } from '../../stats/random.ts';
import type { TextMaker } from './text-maker.ts';

/** Beginnings that prompts have in common, beside what each has of its own. */
export const PrefixBucket = z.strictObject({
  tokens: z.int().positive().describe('Length of each beginning, on top of the prompt of its own.'),
  count: z.int().positive().default(1).describe('How many different beginnings there are.'),
  weight: z.number().positive().default(1).describe('How often this bucket is drawn beside the others.'),
});
export type PrefixBucket = z.infer<typeof PrefixBucket>;

/** Words and their tokens. */
interface Beginning {
  readonly words: readonly string[];
  readonly tokens: number;
}

const none: Beginning = { words: [], tokens: 0 };
/** Numbers that keep the generators of beginnings apart from those of prompts. */
const drawTag = 3;
const bucketTag = 0x7072_6566;
const commonTag = 0x636f_6d6d;

/** The beginning of request `id`; which one it gets is drawn by weight, each of a bucket with the same chance. */
export function prefixChooser(
  buckets: readonly PrefixBucket[],
  maker: TextMaker,
  seed: number,
): (id: number) => Beginning {
  const total = buckets.reduce((sum, { weight }) => sum + weight, 0);
  const made = new Map<string, Beginning>();
  return (id) => {
    const random = seededRandom(seed, id, drawTag);
    let at = random.next() * total;
    const index = buckets.findIndex(({ weight }) => (at -= weight) < 0);
    const number = index < 0 ? buckets.length - 1 : index;
    const bucket = buckets[number];
    if (!bucket) return none;
    const member = random.below(bucket.count);
    const key = `${number}/${member}`;
    const known = made.get(key);
    if (known) return known;
    const words = maker.words(bucket.tokens, seededRandom(seed, bucketTag, number, member));
    const beginning = { words, tokens: bucket.tokens };
    made.set(key, beginning);
    return beginning;
  };
}

/** One text for all requests, of which each takes as much as it is asked to: so a share of every prompt is the same. */
export function commonBeginning(maker: TextMaker, seed: number): (tokens: number) => Beginning {
  let whole: Beginning = none;
  return (tokens) => {
    // Made longer by the same generator, what was there before stays as it is.
    if (whole.tokens < tokens) {
      const wanted = Math.max(256, 2 ** Math.ceil(Math.log2(tokens + 1)));
      const random = seededRandom(seed, commonTag);
      const words = maker.words(wanted + 1000, random);
      whole = maker.cut(words, wanted);
    }
    return tokens <= 0 ? none : maker.cut(whole.words, tokens);
  };
}
