import { randomBits } from './random-bits.ts';

const partElements = 1 << 20;

/** Bits of the half-precision number nearest below in size; values under the smallest normal one become zero. */
export function toHalf(value: number): number {
  const bits = new Uint32Array(new Float32Array([value]).buffer)[0] as number;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

/** Q8_0 blocks (a half-precision scale, then 32 signed bytes) of uniform weights with this standard deviation. */
export function* randomQ8(elements: number, deviation: number, seed: number): Iterable<Uint8Array> {
  const next = randomBits(seed);
  const scale = toHalf((deviation * Math.sqrt(3)) / 127);
  for (let done = 0; done < elements; done += partElements) {
    const blocks = Math.min(partElements, elements - done) / 32;
    // Blocks are 34 bytes: 16-bit units keep every write aligned.
    const part = new Uint16Array(blocks * 17);
    for (let at = 0; at < part.length; at += 17) {
      part[at] = scale;
      for (let i = 1; i < 17; i += 2) {
        const bits = withoutLowest(next());
        part[at + i] = bits;
        part[at + i + 1] = bits >>> 16;
      }
    }
    yield new Uint8Array(part.buffer);
  }
}

/** Four signed bytes at once: -128, which no quantizer writes, becomes -127 (and 0 becomes 1). */
function withoutLowest(bits: number): number {
  const low = bits & 0x7f7f7f7f;
  return bits | (((low - 0x01010101) & ~low & 0x80808080) >>> 7);
}

/** Half-precision weights, uniform with this standard deviation. */
export function* randomHalf(elements: number, deviation: number, seed: number): Iterable<Uint8Array> {
  const next = randomBits(seed);
  const table = new Uint16Array(65_536);
  for (let i = 0; i < 65_536; i += 1) table[i] = toHalf((i / 32_767.5 - 1) * deviation * Math.sqrt(3));
  for (let done = 0; done < elements; done += partElements) {
    const part = new Uint16Array(Math.min(partElements, elements - done));
    for (let i = 0; i < part.length; i += 2) {
      const bits = next();
      part[i] = table[bits & 0xffff] as number;
      part[i + 1] = table[bits >>> 16] as number;
    }
    yield new Uint8Array(part.buffer);
  }
}

/** Single-precision ones, for norms. */
export function* ones(elements: number): Iterable<Uint8Array> {
  yield new Uint8Array(new Float32Array(elements).fill(1).buffer);
}
