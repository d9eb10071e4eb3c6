import { crc32, deflateSync } from 'node:zlib';
import { seededRandom } from '../../stats/random.ts';
import type { ImageShape } from './image-options.ts';

/** Keeps the generators of images apart from those of prompts. */
const imageTag = 0x696d_6167;
/** Squares of one colour, so that an image has something in it and is small all the same. */
const square = 16;
const colours = 256;

/**
 * Makes PNG images as data URLs, each unlike every other, and the same again for the same seed. They share their pattern
 * and differ in the palette alone: a new image costs its 768 bytes of colours, however large it is.
 */
export function imageMaker({ width, height }: ImageShape, seed: number): (id: number, nth: number) => string {
  // What stands before and in the palette are whole groups of three bytes: base64 can be put together from parts.
  const before = Buffer.concat([signature, chunk('IHDR', header(width, height))]).toString('base64');
  const pixels = deflateSync(pattern(width, height, seed), { level: 9 });
  const after = Buffer.concat([chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]).toString('base64');
  return (id, nth) => {
    const random = seededRandom(seed, imageTag, id, nth);
    const palette = Buffer.alloc(3 * colours);
    for (let i = 0; i < palette.length; i += 1) palette[i] = random.below(256);
    return `data:image/png;base64,${before}${chunk('PLTE', palette).toString('base64')}${after}`;
  };
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Eight bits a pixel, each the number of a colour of the palette. */
function header(width: number, height: number): Buffer {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(width, 0);
  bytes.writeUInt32BE(height, 4);
  bytes[8] = 8;
  bytes[9] = 3;
  return bytes;
}

/** Rows of pixels, each behind the number of its filter, which is none. */
function pattern(width: number, height: number, seed: number): Buffer {
  const rows = Buffer.alloc((width + 1) * height);
  const random = seededRandom(seed, imageTag);
  for (let top = 0; top < height; top += square) {
    const row = Buffer.alloc(width + 1);
    for (let x = 0; x < width; x += square)
      row.fill(random.below(colours), x + 1, Math.min(x + square, width) + 1);
    for (let y = top; y < Math.min(top + square, height); y += 1) row.copy(rows, y * (width + 1));
  }
  return rows;
}

function chunk(name: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const bytes = Buffer.alloc(named.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  named.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(named), named.length + 4);
  return bytes;
}
