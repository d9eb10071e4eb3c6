import type { LiveRequest, LiveRequests } from '../../domain/live-request.ts';
import type { EndedBy } from '../accounts/trail.ts';
import type { Call } from '../front/call.ts';

/** The requests under way. */
export interface LiveTable {
  readonly add: (call: Call) => void;
  readonly remove: (call: Call) => void;
  /** The oldest `most` of them. */
  readonly list: (most: number) => LiveRequests;
  /** Ends what bears this name as if its client had left, but tells the client. False when nothing of it is under way. */
  readonly cancel: (id: string) => boolean;
  /** Ends in that manner all of them that are so. */
  readonly end: (by: EndedBy, which: (call: Call) => boolean) => void;
}

function end(call: Call, by: EndedBy): void {
  call.trail.cancelled = by;
  call.phase?.leave();
}

export function createLiveTable(now: () => number): LiveTable {
  // A list in which each call knows its place: a set would have to make a hash for every call.
  const calls: Call[] = [];
  let serial = 0;
  return {
    add: (call) => {
      call.place = calls.push(call) - 1;
      call.serial = serial += 1;
    },
    remove: (call) => {
      const last = calls.pop();
      if (!last || last === call) return;
      calls[call.place] = last;
      last.place = call.place;
    },
    list: (most) => {
      const at = now();
      const oldest = calls.toSorted((a, b) => a.startedAt - b.startedAt).slice(0, most);
      const shared = sharedIds(calls);
      const requests = oldest.map((call) => {
        const id = shared.has(call.id) ? numbered(call.id, call.serial) : call.id;
        return { ...liveRequest(call, at), id };
      });
      return { requests, total: calls.length };
    },
    cancel: (id) => {
      const named = calls.filter((call) => call.id === id || numbered(call.id, call.serial) === id);
      for (const call of named) end(call, 'operator');
      return named.length > 0;
    },
    end: (by, which) => {
      // Each that ends leaves the list.
      for (const call of calls.filter(which)) end(call, by);
    },
  };
}

/** Clients choose ids, and may give two requests the same. No id of theirs has this sign in it. */
export function numbered(id: string, serial: number): string {
  return `${id}~${serial}`;
}

function sharedIds(calls: readonly Call[]): Set<string> {
  const seen = new Set<string>();
  return new Set(calls.map(({ id }) => id).filter((id) => seen.size === seen.add(id).size));
}

function liveRequest(call: Call, now: number): LiveRequest {
  const { trail } = call;
  return {
    id: call.id,
    key: call.key,
    endpoint: call.endpoint.path,
    model: call.model,
    instance: trail.instance,
    phase: phaseOf(call),
    ageMs: Math.max(0, Math.round(now - call.startedAt)),
    pieces: call.phase?.pieces ?? 0,
  };
}

function phaseOf({ trail }: Call): LiveRequest['phase'] {
  if (trail.firstAt !== null) return 'replying';
  if (trail.sentAt !== null) return 'waiting';
  return trail.deployment === null ? 'reading' : 'queued';
}
