import type { Endpoint } from '../../domain/endpoints.ts';
import type { Inbound, Reply } from '../../io/http-server/types.ts';
import type { Choice } from '../routing/balance.ts';
import type { Caller } from './caller.ts';
import type { BodyShare } from '../admission/held-bytes.ts';
import type { Reservation } from '../limits/hold.ts';
import type { Trial } from '../experiments/trials.ts';
import type { Series } from '../reply/meter.ts';
import type { ScannedBody } from './request-body.ts';
import type { Offering } from '../upstream/offering.ts';
import type { Trail } from '../accounts/trail.ts';
import type { Exact } from '../upstream/upstream-path.ts';
import type { Usage } from '../reply/usage.ts';

/** The client left; nobody is there to be told. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** The deployment that it waits for is there no more, or is about to go; whoever serves its route by now may serve it. */
export class LineClosed extends Error {
  override readonly name = 'LineClosed';
}

/** A wait in a queue, or an attempt at an instance. */
export interface Phase {
  readonly leave: () => void;
  /** What the request waits for, as one line: "queued pos=3". */
  readonly tell: () => string;
  /** Events of its reply that have come, or pieces of another payload; absent: it has none yet. */
  readonly pieces?: number;
}

/** One request on its way through the gateway. Times are monotonic milliseconds. */
export interface Call {
  readonly id: string;
  readonly inbound: Inbound;
  reply: Reply;
  readonly endpoint: Endpoint;
  /** What limits and caches take it for: a completion is one whether the model stands in its path or in its body. */
  readonly countedAs: Endpoint;
  readonly caller: Caller;
  /** Id of the caller: whose turn it is in a queue. */
  readonly key: string;
  /** Of a request that is passed on as it is: the path names the model. */
  readonly exact: Exact | null;
  readonly startedAt: number;
  /** Its place in the live table; only that table's own. */
  place: number;
  /** Its number among all requests; told beside its id where several have the same. */
  serial: number;
  readonly share: BodyShare;
  readonly trail: Trail;
  /** Where it is counted; by the model "unknown" until the route is found. */
  series: Series;
  /** Null once the upstream has begun to answer: nothing can be sent again, and the memory is free. */
  body: ScannedBody | null;
  /** Name of the route, which may be an alias. */
  model: string;
  /** Models that it names where it is passed on as it is; null: it may name what is not read here. */
  names: readonly string[] | null;
  /** Whose limits hold for it; null until they are asked. Another route than that of `model` where it names another one by a way of its own. */
  computed: Offering | null;
  /** What its reply is to name as its model; null: what the engine writes. */
  replyAs: string | null;
  /** How its instance is chosen. */
  choice: Choice;
  /** How long it may wait for a deployment that is held; undefined: as long as in a queue. */
  holdMs: number | undefined;
  /** Since when it stands in line; null: it does not. */
  lineSince: number | null;
  /** Its body was there. */
  readAt: number;
  /** Gone by in lines, all together. */
  queuedMs: number;
  /** Gone by in lines that were closed. */
  waitedMs: number;
  /** Id of the instance that keeps what it goes on from; null for nearly all. */
  holder: string | null;
  /** Response headers that say who served, names and values in turn; none where that was never in question. */
  told: readonly string[];
  leasedAt: number;
  /** Engines that broke its connection before they answered, at all deployments together. */
  resets: number;
  /** What is under way and ends when the client leaves; set by each phase. */
  phase: Phase | null;
  gone: boolean;
  /** What it holds of its caller's limits; null where there are none. */
  reservation: Reservation | null;
  /** Its part in an experiment; null: it has none. */
  trial: Trial | null;
  /** What was served; null: nothing. */
  spent: Usage | null;
  /** What it is counted as; 0 until it is known. */
  status: number;
}

/** It stands in line, and no longer where it did before: of that it was not told. */
export function enterLine(call: Call, phase: Phase, now: number): void {
  leaveLine(call, now);
  call.phase = phase;
  call.lineSince = now;
}

/** It stands in line no longer; returns how long it did. */
export function leaveLine(call: Call, now: number): number {
  if (call.lineSince === null) return 0;
  const waited = now - call.lineSince;
  (call.trail.waits ??= []).push({ from: call.lineSince, to: now });
  call.lineSince = null;
  call.queuedMs += waited;
  return waited;
}

/** Ends the present phase as soon as the client leaves. */
export function watchClient(call: Call): void {
  call.inbound.onClosed(() => {
    call.gone = true;
    call.phase?.leave();
  });
}
