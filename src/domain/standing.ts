import type { JournalEntry } from './journal.ts';

/** An object that was started and not ended since, as far as the journal tells. */
export interface Standing {
  readonly host: string;
  readonly deployment: string;
  readonly replica: number;
  /** The kind of target that runs it. */
  readonly target: string;
  readonly object: string;
}

const starts = new Set<JournalEntry['do']>(['start', 'restart', 'back', 'adopt']);
const ends = new Set<JournalEntry['do']>(['stop', 'disown']);

/**
 * What berth has started from here and not ended since. Who changes the fleet from another machine, or by hand, is not seen: it is for
 * places that cannot be asked themselves. Lines of versions that did not write the target tell nothing. Pure.
 */
export function standingIn(entries: readonly JournalEntry[]): Standing[] {
  const places = new Map<string, Standing[]>();
  for (const entry of entries) {
    const { host, deployment, replica, target, object } = entry;
    if (entry.outcome !== 'done' || host === null || deployment === null || replica === null) continue;
    const key = JSON.stringify([host, deployment, replica]);
    const there = places.get(key) ?? [];
    // What came before one that was ended has been gone for longer.
    const left = there.slice(there.findIndex((one) => one.object === object) + 1);
    if (ends.has(entry.do)) places.set(key, left);
    const became = entry.do === 'adopt' ? object : entry.became;
    if (!starts.has(entry.do) || target === undefined || became === null) continue;
    const now = { host, deployment, replica, target, object: became };
    places.set(key, [...left.filter((one) => one.object !== became), now]);
  }
  return [...places.values()].flat();
}
