import type { z } from 'zod';

/** What a line lacks, all of it in one sentence. */
export function explain({ issues }: z.ZodError): string {
  return issues.map(({ path, message }) => `${path.join('.') || 'it'}: ${message}`).join('; ');
}
