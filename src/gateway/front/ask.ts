import { hashPrefixes, hashText } from '../../domain/hashing.ts';
import { unitHeader } from '../../domain/sticky-by.ts';
import type { StickyBy } from '../../domain/sticky-by.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import type { Ask, Reads } from '../policies/contract.ts';
import { readsNothing } from '../policies/contract.ts';
import { ScanFault, scanObject } from './scan.ts';
import type { Span } from './scan.ts';

/** Where what is asked for may stand. */
export interface Asker {
  readonly inbound: Pick<Inbound, 'header'>;
  /** Id of the API key; "anonymous" when none is wanted. */
  readonly key: string;
  readonly body: { readonly bytes: Buffer } | null;
}

export const asksNothing: Ask = { unit: null, prefix: [] };

/** What a policy wants to know of a request; only that is looked for. */
export function askOf(reads: Reads, asker: Asker): Ask {
  if (reads === readsNothing) return asksNothing;
  const unit = reads.unit === null ? null : unitOf(reads.unit, asker);
  return {
    unit: unit === null ? null : hashText(unit),
    prefix: reads.prompt === null ? [] : prefixesOf(asker.body?.bytes, reads.prompt),
  };
}

/** Who asks, as a text that is the same for requests that belong together; null when the request does not say. */
export function unitOf(by: StickyBy, asker: Asker): string | null {
  if (by === 'key') return keyUnit(asker.key);
  if (by !== 'session') return named('header', asker.inbound.header(by.header.toLowerCase()));
  return (
    named('header', asker.inbound.header(unitHeader)) ??
    named('user', userOf(asker.body?.bytes)) ??
    keyUnit(asker.key)
  );
}

function keyUnit(key: string): string | null {
  return key === 'anonymous' ? null : `key:${key}`;
}

function named(what: string, value: string | undefined): string | null {
  return value === undefined || value === '' ? null : `${what}:${value}`;
}

/** The field that clients of OpenAI's API keep the same over a conversation, else over a user. */
function userOf(bytes: Buffer | undefined): string | undefined {
  const found = spansOf(bytes, ['prompt_cache_key', 'user']);
  const span = found?.get('prompt_cache_key') ?? found?.get('user');
  return span && bytes ? bytes.toString('utf8', span.start, span.end) : undefined;
}

/** Of the prompt as it stands in the body: a later turn of a conversation begins with the bytes of the earlier one. */
function prefixesOf(bytes: Buffer | undefined, blocks: { blockBytes: number; most: number }): number[] {
  const found = spansOf(bytes, ['messages', 'prompt', 'input']);
  const span = found?.get('messages') ?? found?.get('prompt') ?? found?.get('input');
  return span && bytes ? hashPrefixes(bytes, { ...blocks, ...span }) : [];
}

/** Null for what is no JSON object: other bodies say nothing that a policy could read. */
function spansOf(bytes: Buffer | undefined, wanted: readonly string[]): Map<string, Span> | null {
  if (!bytes) return null;
  try {
    return scanObject(bytes, wanted);
  } catch (error) {
    if (error instanceof ScanFault) return null;
    throw error;
  }
}
