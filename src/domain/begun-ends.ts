import type { JournalEntry } from './journal.ts';

/** An object that is about to end, by the name of its host in the file. */
export interface BegunEnd {
  readonly host: string;
  readonly object: string;
  readonly at: string;
  /** The command that ended it was killed over it; false: it is at it now. */
  readonly cutOff: boolean;
}

/** What is restarted ends first. */
const ends = new Set<JournalEntry['do']>(['stop', 'restart']);

/**
 * Ends that nobody has finished or told of, of objects that nothing was done with since. Such an object may have been asked to end, or
 * not yet: that it runs says nothing of a moment later. Pure.
 */
export function begunEnds(entries: readonly JournalEntry[]): BegunEnd[] {
  const begun = new Map<string, BegunEnd>();
  for (const { host, object, became, outcome, do: what, at } of entries) {
    if (host === null) continue;
    for (const name of [object, became]) if (name !== null) begun.delete(keyOf(host, name));
    const cutOff = outcome === 'unfinished';
    if (ends.has(what) && (cutOff || outcome === 'under way') && object !== null)
      begun.set(keyOf(host, object), { host, object, at, cutOff });
  }
  return [...begun.values()];
}

function keyOf(host: string, object: string): string {
  return JSON.stringify([host, object]);
}
