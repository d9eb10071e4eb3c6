import type { LiveRequest, LiveRequests } from '../domain/live-request.ts';
import type { Call } from './call.ts';

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
  // A set keeps the order of coming.
  const calls = new Set<Call>();
  return {
    add: (call) => void calls.add(call),
    remove: (call) => void calls.delete(call),
    list: (most) => {
      const at = now();
      const requests = [...calls.values().take(most)].map((call) => liveRequest(call, at));
      return { requests, total: calls.size };
    },
    cancel: (id) => {
      const found = calls.values().find((call) => call.id === id);
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
