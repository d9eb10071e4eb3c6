/** A seeded source of numbers in [0, 1): the same seed gives the same sequence on every machine. */
export interface Random {
  readonly next: () => number;
  /** An integer in [0, below). */
  readonly below: (below: number) => number;
}

/** xoshiro128** (Blackman and Vigna), its state filled from the seed by splitmix steps. Not for secrets. */
export function seededRandom(...seed: readonly number[]): Random {
  const state = new Uint32Array(4);
  let mix = 0x9e3779b9;
  for (const part of seed) mix = scramble((mix ^ Math.trunc(part)) + 0x9e3779b9);
  for (let i = 0; i < 4; i += 1) {
    mix = (mix + 0x9e3779b9) >>> 0;
    state[i] = scramble(mix);
  }
  function next(): number {
    return step(state) / 0x1_0000_0000;
  }
  return { next, below: (below) => Math.floor(next() * below) };
}

function step(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
  const third = c ^ a;
  const fourth = d ^ b;
  state[1] = b ^ third;
  state[0] = a ^ fourth;
  state[2] = third ^ (b << 9);
  state[3] = rotate(fourth, 11);
  return result;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function scramble(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
