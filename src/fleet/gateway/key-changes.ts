import { createHash, randomBytes } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { KeyWish } from '../../domain/key-record.ts';
import type { KeyRecord } from '../../domain/key-record.ts';

/** What a change makes of the records; `key` is told once and kept nowhere. */
export interface KeyChange {
  readonly keys: readonly KeyRecord[];
  readonly record: KeyRecord;
  readonly key: string | null;
}

/** Randomness and time, so that a change is a value of what it is given. */
export interface KeyMint {
  /** A new key: 256 random bits behind a prefix that scanners for secrets can look for. */
  readonly key: string;
  readonly id: string;
  readonly now: Date;
}

export function mint(now: Date): KeyMint {
  return {
    key: `sk-berth-${randomBytes(32).toString('base64url')}`,
    id: `key-${randomBytes(6).toString('hex')}`,
    now,
  };
}

/** `inFile`: names of the fleet file's own keys. Throws KEY_EXISTS, KEY_WISH_INVALID. */
export function addKey(
  keys: readonly KeyRecord[],
  given: unknown,
  { key, id, now, inFile }: KeyMint & { inFile: readonly string[] },
): KeyChange {
  const wish = wishOf(given, now);
  const { name } = wish;
  if (name.startsWith('berth-') || name === 'anonymous')
    throw new BerthError('KEY_EXISTS', { name, source: 'berth' });
  if (inFile.includes(name)) throw new BerthError('KEY_EXISTS', { name, source: 'file' });
  if (keys.some((one) => one.name === name)) throw new BerthError('KEY_EXISTS', { name, source: 'made' });
  const record: KeyRecord = {
    ...wish,
    id,
    sha256: sha256(key),
    previous: null,
    createdAt: now.toISOString(),
    rotatedAt: null,
  };
  return { keys: [...keys, record], record, key };
}

/** A new secret under the same id; the old one is good for `graceMs` more. Throws KEY_UNKNOWN, KEY_EXPIRED. */
export function rotateKey(
  keys: readonly KeyRecord[],
  name: string,
  { key, now, graceMs }: KeyMint & { graceMs: number },
): KeyChange {
  const before = find(keys, name);
  const { expiresAt } = before;
  if (expiresAt !== null && new Date(expiresAt) <= now)
    throw new BerthError('KEY_EXPIRED', { name: before.name, at: expiresAt });
  const until = new Date(now.getTime() + graceMs).toISOString();
  const record: KeyRecord = {
    ...before,
    sha256: sha256(key),
    previous: graceMs > 0 ? { sha256: before.sha256, until } : null,
    rotatedAt: now.toISOString(),
  };
  return { keys: keys.map((one) => (one === before ? record : one)), record, key };
}

/** Throws KEY_UNKNOWN. */
export function revokeKey(keys: readonly KeyRecord[], name: string): KeyChange {
  const record = find(keys, name);
  return { keys: keys.filter((one) => one !== record), record, key: null };
}

function wishOf(given: unknown, now: Date): KeyWish {
  const parsed = KeyWish.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map(({ path, message: text }) => ({ field: path.join('.'), text }));
    throw new BerthError('KEY_WISH_INVALID', { faults });
  }
  const expires = parsed.data.expiresAt === null ? null : new Date(parsed.data.expiresAt);
  if (expires && expires <= now)
    throw new BerthError('KEY_WISH_INVALID', {
      faults: [{ field: 'expiresAt', text: 'it would have expired already' }],
    });
  return { ...parsed.data, expiresAt: expires && expires.toISOString() };
}

/** By name, or by id. */
function find(keys: readonly KeyRecord[], name: string): KeyRecord {
  const found = keys.find((one) => one.name === name || one.id === name);
  if (!found) throw new BerthError('KEY_UNKNOWN', { name, known: keys.map((one) => one.name) });
  return found;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
