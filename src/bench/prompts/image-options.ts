import { z } from 'zod';

const Side = z.int().positive().max(8192);
const Images = z.strictObject({
  count: z.int().positive().max(100).default(1).describe('Images of each prompt.'),
  width: Side.default(512).describe('Pixels.'),
  height: Side.default(512).describe('Pixels.'),
});

/** A number of images, or their number and size. */
export const ImageOptions = z.union([z.int().positive().max(100), Images]);

/** How many images a prompt has, and how large they are. */
export type ImageShape = z.infer<typeof Images>;

export function imageShape(options: z.infer<typeof ImageOptions>): ImageShape {
  return typeof options === 'number' ? Images.parse({ count: options }) : options;
}
