import { createHash } from 'node:crypto';
import { seededRandom } from '../../stats/random.ts';
import type { TextMaker } from './text-maker.ts';

/** Keeps the generators of blocks apart from those of prompts. */
const blockTag = 0x626c_6f63;
/** So many blocks are kept ready; one that is made again is the same. */
const mostKept = 4096;

/** The words of a named block of a prompt: of its name, the seed and the round alone. */
export function blockTexts(
  maker: TextMaker,
  { seed, tokens }: { seed: number; tokens: number },
): (block: number | string, round: number) => readonly string[] {
  const kept = new Map<string, readonly string[]>();
  return (block, round) => {
    const key = `${round}/${block}`;
    const known = kept.get(key);
    if (known) {
      // The last one used is the last to go.
      kept.delete(key);
      kept.set(key, known);
      return known;
    }
    const words = maker.words(tokens, seededRandom(seed, blockTag, round, ...partsOf(block)));
    kept.set(key, words);
    const oldest = kept.keys().next();
    if (kept.size > mostKept && !oldest.done) kept.delete(oldest.value);
    return words;
  };
}

/** Names may have more bits than a part of a seed. */
function partsOf(block: number | string): number[] {
  if (typeof block === 'number') return [block >>> 0, Math.floor(block / 2 ** 32)];
  const digest = createHash('sha256').update(block).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
