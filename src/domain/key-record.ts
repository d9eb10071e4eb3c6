import { z } from 'zod';
import { KeyLimits } from './key-limits.ts';

/**
 * A key that berth made, as keys.json keeps it: its hash, never the key. Null stands for "no bound" throughout. SHA-256 without salt
 * or repetition is right for it: those protect passwords, which can be guessed; a key is 256 random bits.
 */
export const KeyRecord = z.strictObject({
  /** Random; never given again. */
  id: z.string().min(1),
  name: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** What the key was before its last rotation, good until then. */
  previous: z
    .strictObject({ sha256: z.string().regex(/^[0-9a-f]{64}$/), until: z.iso.datetime() })
    .nullable(),
  /** Names of routes. */
  models: z.array(z.string()).nullable(),
  /** Paths of the gateway. */
  endpoints: z.array(z.string()).nullable(),
  /** It opens the gateway's control routes too. */
  control: z.boolean(),
  limits: KeyLimits.nullable(),
  createdAt: z.iso.datetime(),
  rotatedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
});
export type KeyRecord = z.infer<typeof KeyRecord>;

/** The file keys.json (0600) of a fleet. That it is there, even empty, means that the gateway wants keys. */
export const KeyFile = z.strictObject({ version: z.literal(1), keys: z.array(KeyRecord) });
export type KeyFile = z.infer<typeof KeyFile>;

/** What is asked for when a key is made. */
export const KeyWish = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/, 'A name has up to 63 letters, digits and any of . _ @ -.'),
  models: z.array(z.string().min(1)).min(1).nullable().default(null),
  endpoints: z.array(z.string().startsWith('/', 'A path begins with /.')).min(1).nullable().default(null),
  control: z.boolean().default(false),
  limits: KeyLimits.nullable().default(null),
  expiresAt: z.iso.datetime().nullable().default(null),
});
export type KeyWish = z.infer<typeof KeyWish>;

/** A key as people see it: nothing of the secret, not even its hash. */
export interface KeyView {
  readonly id: string;
  readonly name: string;
  /** `file`: named in the fleet file, which alone can change it. `made`: kept in keys.json. */
  readonly source: 'file' | 'made';
  readonly state: 'active' | 'expired';
  readonly models: readonly string[] | null;
  readonly endpoints: readonly string[] | null;
  readonly control: boolean;
  /** What was said for it alone. */
  readonly limits: KeyLimits | null;
  /** What holds for it: that, and what is said for every key. */
  readonly bounds: KeyLimits;
  readonly createdAt: string | null;
  readonly rotatedAt: string | null;
  readonly expiresAt: string | null;
  /** Until when the secret from before the last rotation is good as well; null when it is not. */
  readonly previousUntil: string | null;
}

/** A key that was just made or rotated; the one time that the key itself is told. */
export interface NewKey extends KeyView {
  readonly key: string;
}

/** What a change of a key gives back. */
export type KeyAnswer<Value> = Value & {
  /** Why the gateway has not taken the change in, though it is kept; null when it has. */
  readonly notInForce: string | null;
};
