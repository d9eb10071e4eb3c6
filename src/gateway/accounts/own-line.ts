import type { AccessRecord } from '../../domain/access-record.ts';
import type { Inbound } from '../../io/http-server/types.ts';

/** What the gateway answered itself, before a model was looked for. */
export interface OwnAnswer {
  readonly id: string;
  /** Id of the caller's key; "" where it is not known. Asked only where there is a line. */
  readonly key: () => string;
  /** "" for a path that is none of ours: a client may put anything there. */
  readonly endpoint: string;
  readonly status: number;
  /** Code of the refusal; null: it was none. */
  readonly code: string | null;
  /** Null for bytes that were no request. */
  readonly inbound: Pick<Inbound, 'peer'> | null;
}

/** What the log says of it. `leftOut`: lines of its kind that were left out since the last one. */
export function ownRecord(own: OwnAnswer, leftOut: number, wallMs: number): AccessRecord {
  const { id, key, endpoint, status, code, inbound } = own;
  return {
    time: new Date(wallMs).toISOString(),
    id,
    key: key(),
    endpoint,
    model: '',
    deployment: null,
    instance: null,
    stream: false,
    status,
    outcome: code === null ? 'done' : 'refused',
    code,
    queueMs: null,
    ttftMs: null,
    durationMs: 0,
    inputTokens: null,
    outputTokens: null,
    tokenSource: null,
    bytesIn: 0,
    retries: 0,
    ...(inbound && { client: inbound.peer.replace(/:\d+$/, '') }),
    ...(leftOut > 0 && { leftOut }),
  };
}

/** Lines that anybody may cause: many at once, and then one a second, so that nobody can push the others out of the files. */
export interface LineGate {
  /** How many were left out since the last that was let through; null: this one is, too. `now`: monotonic milliseconds. */
  readonly pass: (now: number) => number | null;
}

const mostAtOnce = 60;
const everyMs = 1000;

export function createLineGate(): LineGate {
  let left = mostAtOnce;
  let since = -Infinity;
  let leftOut = 0;
  return {
    pass: (now) => {
      const gained = Math.floor(Math.min(mostAtOnce, (now - since) / everyMs));
      if (gained > 0) {
        left = Math.min(mostAtOnce, left + gained);
        since = gained === mostAtOnce ? now : since + gained * everyMs;
      }
      if (left === 0) {
        leftOut += 1;
        return null;
      }
      left -= 1;
      const told = leftOut;
      leftOut = 0;
      return told;
    },
  };
}
