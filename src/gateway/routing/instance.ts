import type { Upstream } from '../../domain/gateway-config.ts';
import type { DemandState } from '../../domain/on-demand.ts';
import type { UpstreamPool } from '../../io/upstream-pool/types.ts';
import { Room } from '../limits/room.ts';
import type { RoomOptions } from '../limits/room.ts';
import { healthy } from './health.ts';
import type { Health } from './health.ts';

/** One engine as the gateway knows it while it runs; kept over a reload as long as it is the same engine. */
export interface Instance {
  readonly id: string;
  upstream: Upstream;
  /** The engine's own key. */
  key: string | null;
  /** Authorities (PEM) that the pool trusts; null: the usual ones. */
  ca: string | null;
  pool: UpstreamPool;
  /** Requests it serves at once; null: no limit is known. */
  readonly slots: number | null;
  inflight: number;
  health: Health;
  /** How far its models are, where it loads them itself and tells; else null. */
  models: ReadonlyMap<string, DemandState> | null;
  /** Takes nothing new until then, by the monotonic clock; null as usual. */
  drainedUntil: number | null;
  /** For a moment nothing may come between two looks at it: newcomers wait in line. */
  paused: boolean;
  /** What it can take beside what is under way. */
  readonly room: Room;
  /** One more request of so many tokens may go there. */
  readonly fits: (tokens: number, now: number) => boolean;
}

/** It is about to be stopped: what is under way there ends, and nothing new comes. */
export function isDraining(instance: Instance, now: number): boolean {
  return instance.drainedUntil !== null && now < instance.drainedUntil;
}

/** `now`: monotonic milliseconds. */
export function createInstance(
  upstream: Upstream,
  { key, ca }: { key: string | null; ca: string | null },
  pool: UpstreamPool,
  now: number,
): Instance {
  const room = new Room(roomOptions(upstream), now);
  return {
    id: upstream.id,
    upstream,
    key,
    ca,
    pool,
    get slots() {
      return room.slots;
    },
    inflight: 0,
    health: healthy,
    models: null,
    drainedUntil: null,
    paused: false,
    room,
    fits(tokens, at) {
      return !this.paused && room.fits(this.inflight, tokens, at);
    },
  };
}

export function roomOptions({ slots, limits }: Upstream): RoomOptions {
  const { rps = null, kvTokens = null, adaptive = true } = limits ?? {};
  return { slots, rps, kvTokens, adaptive };
}
