/** A stream of 32-bit numbers that depends on the seed alone (xorshift128, Marsaglia 2003). Not for secrets. */
export function randomBits(seed: number): () => number {
  // Spread the seed over the state (the steps of splitmix32), so that neighbouring seeds differ at once.
  const state = new Uint32Array(4);
  let spread = seed >>> 0;
  for (let i = 0; i < 4; i += 1) {
    spread = (spread + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(spread ^ (spread >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    state[i] = (mixed ^ (mixed >>> 15)) >>> 0 || 1;
  }
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  return () => {
    const t = a ^ (a << 11);
    a = b;
    b = c;
    c = d;
    d = d ^ (d >>> 19) ^ (t ^ (t >>> 8));
    return d >>> 0;
  };
}
