import { hash, timingSafeEqual } from 'node:crypto';
import type { ClientKey } from '../../domain/client-key.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { anonymous, callerOf } from '../front/caller.ts';
import type { Caller } from '../front/caller.ts';
import { controlKeyMissing, controlRefused, keyExpired, keyMissing, keyUnknown } from '../reply/faults.ts';

/** The part of a request that tells who sends it. */
type Asked = Pick<Inbound, 'header' | 'connection'> & Partial<Pick<Inbound, 'certificateName' | 'likeness'>>;

/** Who may ask. Holds hashes only. A key comes as "Authorization: Bearer KEY", or as "x-api-key: KEY" in Anthropic's manner. */
export interface Keyring {
  /** Who asks. Throws ApiError 401. */
  readonly identify: (asked: Asked) => Caller;
  /** The same, but nobody is anonymous. */
  readonly requireKey: (asked: Asked) => Caller;
  /**
   * The same for routes that change or show what the gateway does for others. They want a key that was made for control even where
   * no other request wants one: any page in a browser on this machine can send requests to a loopback port, but no header of
   * this kind. Throws ApiError 401 or 403.
   */
  readonly requireControl: (asked: Asked) => Caller;
}

export interface KeyringOptions {
  readonly keys: readonly ClientKey[];
  /** Requests without a key, or with one that is not known, are served as anonymous ones. */
  readonly anonymous: boolean;
  /** Whoever has a certificate with the name of a key, and shows no key, is taken for that one. */
  readonly clientNames?: boolean | undefined;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

interface Held {
  readonly digest: Buffer;
  readonly caller: Caller;
}

export function createKeyring(options: KeyringOptions): Keyring {
  // Found by the start of the hash, which tells a guesser nothing about the key; compared whole in constant time.
  const byStart = new Map<number, Held[]>();
  /** Of a key that was rotated the first is the one that stays. */
  const byName = new Map<string, Caller>();
  for (const key of options.keys) {
    const digest = Buffer.from(key.sha256, 'hex');
    const start = digest.readUInt32LE(0);
    const caller = callerOf(key);
    byStart.set(start, [...(byStart.get(start) ?? []), { digest, caller }]);
    // Keys of berth itself are no names that an authority may give away.
    if (!byName.has(key.name) && !key.control) byName.set(key.name, caller);
  }
  // A client sends the same header with each request of a connection: hashed once. A proxy in front may send those of
  // many clients over one connection, so that this comparison must not tell by its time how much was right either.
  const seen = new WeakMap<object, { shown: string; caller: Caller | null }>();

  /** Null for a key that is not known. Throws when it has expired. */
  function callerWith(shown: string, connection: object): Caller | null {
    const before = seen.get(connection);
    const caller = before && sameText(before.shown, shown) ? before.caller : lookUp(byStart, shown);
    if (caller !== before?.caller) seen.set(connection, { shown, caller });
    return inDate(caller);
  }
  function inDate(caller: Caller | null): Caller | null {
    if (caller && caller.expiresAt !== Infinity && caller.expiresAt <= options.wallMs())
      throw keyExpired(new Date(caller.expiresAt).toISOString());
    return caller;
  }
  /** Of heads with the same bytes, on the same connection. It ends with this keyring, and a date is looked at each time. */
  const likely = new WeakMap<object, Caller>();

  function known(asked: Asked): Caller | null {
    const { likeness = null } = asked;
    const before = likeness && likely.get(likeness);
    if (before) return inDate(before);
    const caller = knownByName(asked);
    if (likeness && caller) likely.set(likeness, caller);
    return caller;
  }
  function knownByName(asked: Asked): Caller | null {
    const shown = shownBy(asked);
    if (shown !== null) return callerWith(shown, asked.connection);
    return options.clientNames ? inDate(byName.get(asked.certificateName ?? '') ?? null) : null;
  }
  function refusal(asked: Asked): Error {
    return shownBy(asked) === null ? keyMissing() : keyUnknown();
  }
  function requireKey(asked: Asked): Caller {
    const caller = known(asked);
    if (caller) return caller;
    throw refusal(asked);
  }
  return {
    identify: (asked) => (options.anonymous ? (known(asked) ?? anonymous) : requireKey(asked)),
    requireKey,
    requireControl: (asked) => {
      if (shownBy(asked) === null && !known(asked)) throw controlKeyMissing();
      const caller = requireKey(asked);
      if (!caller.control) throw controlRefused();
      return caller;
    },
  };
}

/** The text of an Authorization header, whichever header the key came in. Null when nothing is shown. */
function shownBy(asked: Asked): string | null {
  const authorization = asked.header('authorization');
  if (authorization && (authorization.startsWith('Bearer ') || /^bearer\b/i.test(authorization)))
    return authorization;
  const bare = asked.header('x-api-key');
  // Of another scheme it is meant for a proxy in front.
  return bare ? `Bearer ${bare}` : authorization || null;
}

function lookUp(byStart: ReadonlyMap<number, readonly Held[]>, shown: string): Caller | null {
  const token = /^Bearer +(\S+) *$/i.exec(shown)?.[1];
  if (token === undefined) return null;
  const digest = hash('sha256', token, 'buffer');
  const held = byStart.get(digest.readUInt32LE(0)) ?? [];
  return held.find((key) => timingSafeEqual(key.digest, digest))?.caller ?? null;
}

/** Equal or not, in a time that depends on the lengths alone. */
function sameText(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i += 1) difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
  return difference === 0;
}
