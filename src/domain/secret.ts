import { z } from 'zod';

/** Where a secret lies. Values never travel in plans, marks or logs; only the target resolves a reference. */
export const SecretRef = z.union([
  z.strictObject({ env: z.string().min(1) }),
  z.strictObject({ file: z.string().min(1) }),
]);
export type SecretRef = z.infer<typeof SecretRef>;
