import type { LiveRequest, LiveRequests } from '../../domain/live-request.ts';
import type { Call } from '../front/call.ts';

/** The requests under way. */
export interface LiveTable {
  readonly add: (call: Call) => void;
  readonly remove: (call: Call) => void;
  /** The oldest `most` of them. */
  readonly list: (most: number) => LiveRequests;
  /** Ends one as if its client had left, but tells the client. False when it is not under way. */
  readonly cancel: (id: string) => boolean;
}

export function createLiveTable(now: () => number): LiveTable {
  // A list in which each call knows its place: a set would have to make a hash for every call.
  const calls: Call[] = [];
  return {
    add: (call) => {
      call.place = calls.push(call) - 1;
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
      return { requests: oldest.map((call) => liveRequest(call, at)), total: calls.length };
    },
    cancel: (id) => {
      const found = calls.find((call) => call.id === id);
      if (!found) return false;
      found.trail.cancelled = true;
      found.phase?.leave();
      return true;
    },
  };
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
    pieces: trail.pieces,
  };
}

function phaseOf({ trail }: Call): LiveRequest['phase'] {
  if (trail.firstAt !== null) return 'replying';
  if (trail.sentAt !== null) return 'waiting';
  return trail.deployment === null ? 'reading' : 'queued';
}
