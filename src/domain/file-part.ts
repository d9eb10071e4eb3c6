import { z } from 'zod';

/** A name of which a part of a path is made: whoever may write a mark, as on a daemon of others, names no file elsewhere by it. */
export const FilePart = z
  .string()
  .regex(/^[^/\0]+$/)
  .refine((name) => name !== '.' && name !== '..');
