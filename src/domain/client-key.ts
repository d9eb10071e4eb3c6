import { z } from 'zod';
import { KeyLimits } from './key-limits.ts';

/**
 * A key that clients of the gateway show, as the gateway is told of it: its hash, never the key. A key that has been rotated stands
 * in the list twice for a while, under one id, and the older secret expires.
 */
export const ClientKey = z.strictObject({
  /** Never given again, so that what is counted for one key is not taken for another's. */
  id: z.string().min(1),
  /** What people call it; unique among the keys in force. */
  name: z.string().min(1),
  /** SHA-256 of the key in hex. A plain hash is enough: a key is random and too long to be guessed, unlike a password. */
  sha256: z.string(),
  /** Names of the routes that it may ask for; an alias is covered by the name that it stands for. Absent: all. */
  models: z.array(z.string()).optional(),
  /** Paths that it may ask, such as "/v1/embeddings". Absent: all. */
  endpoints: z.array(z.string()).optional(),
  expiresAt: z.iso.datetime().optional(),
  /** It opens the control routes too. */
  control: z.boolean().optional(),
  limits: KeyLimits.optional(),
});
export type ClientKey = z.infer<typeof ClientKey>;
