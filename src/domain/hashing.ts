/** Hashes for spreading load: quick and even, of no use where someone must not be able to foresee them. */

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** A 32-bit hash of a text, by its UTF-16 code units: FNV-1a, then mixed so that near texts lie far apart. */
export function hashText(text: string, seed = 0): number {
  let hash = fnvOffset ^ seed;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), fnvPrime);
  return avalanche(hash);
}

/** One 32-bit hash from two. */
export function hashPair(one: number, other: number): number {
  return avalanche(Math.imul(one, 0x9e3779b1) ^ avalanche(other));
}

/** The last step of MurmurHash3 (Appleby): each bit of the input changes half of the output's. Unsigned. */
function avalanche(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * A hash of each beginning of a text, block by block, shortest first: two texts share as many as they share whole blocks
 * from the start. 52 bits, so that a few hundred thousand do not meet by chance. The last, unfinished block is left out.
 */
export function hashPrefixes(
  bytes: Uint8Array,
  blocks: {
    readonly start: number;
    readonly end: number;
    readonly blockBytes: number;
    readonly most: number;
  },
): number[] {
  const { start, end, blockBytes, most } = blocks;
  const count = Math.min(most, Math.floor((end - start) / blockBytes));
  const hashes: number[] = [];
  let high = fnvOffset;
  let low = 0x2545f491;
  let at = start;
  for (let block = 0; block < count; block += 1) {
    for (const stop = at + blockBytes; at < stop; at += 1) {
      const byte = bytes[at] as number;
      high = Math.imul(high ^ byte, fnvPrime);
      low = Math.imul(low + byte + 1, 0x9e3779b1);
    }
    hashes.push(avalanche(high) * 0x10_0000 + (avalanche(low) >>> 12));
  }
  return hashes;
}

/**
 * Weighted rendezvous hashing (Wang and Ravishankar, 1998; weights by Schindelhauer and Schomaker, 2005): each choice
 * wins its share of all units, and when choices or weights change only those units move that must. The greatest score
 * wins; `unit` and `choice` are 32-bit hashes.
 */
export function rendezvousScore(unit: number, choice: number, weight: number): number {
  const point = (hashPair(unit, choice) + 0.5) / 0x1_0000_0000;
  return -weight / Math.log(point);
}
