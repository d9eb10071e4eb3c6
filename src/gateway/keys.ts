import { hash, timingSafeEqual } from 'node:crypto';
import { keyMissing, keyUnknown } from './faults.ts';

/** Who may ask. Holds hashes only. */
export interface Keyring {
  /**
   * The id of the key in an Authorization header; "anonymous" when no key is wanted. Throws ApiError 401.
   * `connection`: where the header came from.
   */
  readonly identify: (authorization: string | undefined, connection: object) => string;
}

export function createKeyring(keys: readonly { id: string; sha256: string }[]): Keyring {
  if (keys.length === 0) return { identify: () => 'anonymous' };
  // Found by the start of the hash, which tells a guesser nothing about the key; compared whole in constant time.
  const byStart = new Map<number, { id: string; digest: Buffer }[]>();
  for (const { id, sha256 } of keys) {
    const digest = Buffer.from(sha256, 'hex');
    const start = digest.readUInt32LE(0);
    byStart.set(start, [...(byStart.get(start) ?? []), { id, digest }]);
  }
  // A client sends the same header with each request of a connection: hashed once. A proxy in front may send those of
  // many clients over one connection, so that this comparison must not tell by its time how much was right either.
  const accepted = new WeakMap<object, { authorization: string; id: string }>();
  return {
    identify: (authorization, connection) => {
      const before = accepted.get(connection);
      if (!authorization) throw keyMissing();
      if (before && sameText(before.authorization, authorization)) return before.id;
      const token = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
      if (token === undefined) throw keyUnknown();
      const digest = hash('sha256', token, 'buffer');
      const held = byStart.get(digest.readUInt32LE(0)) ?? [];
      const match = held.find((key) => timingSafeEqual(key.digest, digest));
      if (!match) throw keyUnknown();
      accepted.set(connection, { authorization, id: match.id });
      return match.id;
    },
  };
}

/** Equal or not, in a time that depends on the lengths alone. */
function sameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i += 1) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
