import { createHash, timingSafeEqual } from 'node:crypto';

/** Takes the same time whatever the difference, also in length. */
export function sameToken(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
