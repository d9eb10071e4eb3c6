import type { DemandState, OnDemandModel } from '../../domain/on-demand.ts';
import { loadFailed, modelLoading } from '../reply/faults.ts';
import { leftMs, paceAfter } from './fetch-pace.ts';
import type { Pace } from './fetch-pace.ts';

/** Told to those who wait for a model whose load time nobody knows yet. */
const unknownLoadMs = 30_000;
const firstRetryMs = 1_000;
const longestRetryMs = 60_000;

/** What a model on demand needs of its deployment. */
export interface Served {
  readonly name: string;
  readonly waiting: number;
  /** Requests under way that somebody waits for. */
  readonly awaited: number;
  /** Lets those through who wait, as far as there is room. */
  readonly dispatch: () => void;
  readonly refuseAll: (refusal: () => Error) => void;
  /** Ends what nobody waits for. */
  readonly sendGuestsAway: () => void;
}

interface Failure {
  /** One after the other. */
  readonly count: number;
  readonly reason: string;
  readonly retryAt: number;
}

export interface DemandPorts {
  /** Monotonic milliseconds, to a tick. */
  readonly now: () => number;
  /** Numbers those who come, over all models. */
  readonly takeTurn: () => number;
  /** Something has changed that may matter to other models. */
  readonly poke: () => void;
}

/**
 * One model on demand as the gateway sees it. Its queue is the deployment's own; requests are let through only while it is open.
 * unloaded → loading → ready → unloading → unloaded, and loading → failed → loading; before that unloaded → fetching → unloaded, or
 * fetching → failed → fetching, while its model is not here. Times are monotonic milliseconds.
 */
export class Demand {
  model: OnDemandModel;
  readonly deployment: Served;
  state: DemandState = 'unloaded';
  /** From 0 to 1: of the fetch, or of the load as far as the engine tells. */
  progress: number | null = null;
  #pace: Pace | null = null;
  failure: Failure | null = null;
  /** Takes nothing new, so that it can end: another model has waited long enough, or somebody asked for it. */
  closed = false;
  /** Somebody asked for it to be unloaded. */
  dismissed = false;
  /** Somebody asked for that while it was loading: those who came before this turn are served first. */
  #leavesAfter: number | null = null;
  since = 0;
  lastUsedAt = 0;
  readonly counts = { loaded: 0, failed: 0, unloaded: 0 };
  /** When those who wait came; the oldest first. */
  readonly #arrivals = new Set<{ readonly at: number; readonly turn: number }>();
  readonly #ports: DemandPorts;

  constructor(deployment: Served, model: OnDemandModel, ports: DemandPorts) {
    this.deployment = deployment;
    this.model = model;
    this.#ports = ports;
  }

  get open(): boolean {
    return this.state === 'ready' && !this.closed && !this.dismissed;
  }

  /** It is being fetched or started. */
  get onItsWay(): boolean {
    return this.state === 'fetching' || this.state === 'loading';
  }

  /** Nothing is under way, and nobody waits who would be let through. */
  get idle(): boolean {
    if (this.onItsWay) return this.deployment.waiting === 0;
    return (
      this.state === 'ready' && this.deployment.awaited === 0 && !(this.open && this.deployment.waiting > 0)
    );
  }

  /** Asked for, and nothing is being done about it yet. */
  get wanted(): boolean {
    if (this.deployment.waiting === 0) return false;
    if (this.state === 'failed') return this.#ports.now() >= (this.failure?.retryAt ?? 0);
    return this.state === 'unloaded';
  }

  /** A request may be sent here: now, or after a load. */
  get reachable(): boolean {
    return this.state !== 'failed' || this.#ports.now() >= (this.failure?.retryAt ?? 0);
  }

  /** Whose turn it is among models that are waited for: the lowest goes first. */
  get turn(): number {
    const [oldest] = this.#arrivals;
    return oldest?.turn ?? Infinity;
  }

  /** It is to be unloaded as soon as those who wait now have been served. */
  leaveOnceServed(): void {
    this.#leavesAfter = this.#ports.takeTurn();
  }

  /** Takes nothing new once all have been let through who came before it was asked to leave. */
  settleLeave(): void {
    if (this.state !== 'ready' || this.#leavesAfter === null || this.turn < this.#leavesAfter) return;
    this.#leavesAfter = null;
    this.dismissed = true;
  }

  /** How long the one who has waited longest has. */
  get waitedMs(): number {
    const [oldest] = this.#arrivals;
    return oldest ? this.#ports.now() - oldest.at : 0;
  }

  get loadMs(): number {
    return this.model.loadMs ?? unknownLoadMs;
  }

  /** What one who waits is told: how far it is, where that is known, and of a fetch how long it probably goes on. */
  get told(): string {
    const fetches = this.state === 'fetching';
    const left = fetches ? this.#fetchLeftMs : null;
    return [
      fetches ? 'fetching' : 'loading',
      ...(this.progress === null ? [] : [`${Math.round(this.progress * 100)}%`]),
      ...(left === null ? [] : [`left=${Math.ceil(left / 1000)}s`]),
    ].join(' ');
  }

  /** How far its fetch or its load is. */
  hearPart(part: number): void {
    if (!this.onItsWay) return;
    this.progress = part;
    if (this.state === 'fetching') this.#pace = paceAfter(this.#pace, part, this.#ports.now());
  }

  get #fetchLeftMs(): number | null {
    return leftMs(this.#pace, this.#ports.now());
  }

  /**
   * Whole seconds until it will probably answer, or a little later, lest all come back at once; up to a minute: who waits for longer asks
   * again meanwhile.
   */
  get readyIn(): number {
    const spent = this.state === 'loading' ? this.#ports.now() - this.since : 0;
    const fetchMs = this.state === 'fetching' ? (this.#fetchLeftMs ?? unknownLoadMs) : 0;
    const left = fetchMs + Math.max(0, this.loadMs - spent);
    const random = Math.random();
    const wanted = Math.min(left * (1 + random * 0.2), longestRetryMs * (1 - random * 0.1));
    return Math.max(1, Math.ceil(wanted / 1000));
  }

  /** How much longer than for a slot one may wait for a load. */
  get patienceMs(): number {
    const { loadMs, startTimeoutMs, toFetch } = this.model;
    return loadMs === null || toFetch ? startTimeoutMs : Math.min(3 * loadMs, startTimeoutMs);
  }

  /** Someone begins to wait; the result is called when that is over. Throws ApiError 503 while a failure is recent. */
  arrive(): () => void {
    if (!this.reachable) throw this.refusal();
    // Whoever was to be served before it leaves has gone.
    if (this.state === 'unloaded' && this.#arrivals.size === 0) this.#leavesAfter = null;
    const arrival = { at: this.#ports.now(), turn: this.#ports.takeTurn() };
    this.#arrivals.add(arrival);
    this.#ports.poke();
    return () => {
      if (this.#arrivals.delete(arrival)) this.#ports.poke();
    };
  }

  /** The answer for one who has waited too long, or comes too soon after a failure. */
  refusal(): Error {
    const { name } = this.deployment;
    if (this.state !== 'failed' || !this.failure)
      return modelLoading(name, { fetching: this.state === 'fetching', retryAfter: this.readyIn });
    const left = Math.max(1, Math.ceil((this.failure.retryAt - this.#ports.now()) / 1000));
    return loadFailed(name, this.failure.reason, left);
  }

  /** A request begins or ends. */
  touch(): void {
    this.lastUsedAt = this.#ports.now();
    if (this.closed || this.dismissed) this.#ports.poke();
  }

  become(state: DemandState): void {
    if (state === this.state) return;
    if (state === 'ready') this.counts.loaded += 1;
    if (state === 'failed') this.counts.failed += 1;
    const fetched = this.state === 'fetching' && state === 'unloaded';
    if (state === 'unloaded' && !fetched && this.state !== 'failed') this.counts.unloaded += 1;
    this.state = state;
    this.since = this.#ports.now();
    this.progress = null;
    this.#pace = null;
    this.closed = false;
    this.dismissed = false;
    if (state !== 'ready') {
      // Who waits for a model that has come is served before it leaves.
      if (!fetched && state !== 'loading') this.#leavesAfter = null;
      return;
    }
    this.failure = null;
    this.lastUsedAt = this.since;
  }

  /** Somebody has changed what it is started from: what failed before says nothing of that. */
  forgive(): void {
    if (this.state === 'failed') this.become('unloaded');
    this.failure = null;
  }

  /** It could not be started: those who wait are told, and for a while those who come. */
  fail(reason: string): void {
    const count = (this.failure?.count ?? 0) + 1;
    this.become('failed');
    this.failure = { count, reason, retryAt: this.#ports.now() + retryWaitMs(count) };
    this.deployment.refuseAll(() => this.refusal());
  }
}

/** From one second, doubling, to one minute. */
export function retryWaitMs(failures: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(failures - 1, 10));
}
