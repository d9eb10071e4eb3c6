import type { Priority } from '../../domain/key-limits.ts';
import { admission, expectedMs, retryAfter, surelyLate } from '../admission/admission.ts';
import type { Service } from '../admission/admission.ts';
import { Openings } from './balance.ts';
import type { Choice } from './balance.ts';
import { BandQueue } from '../admission/band-queue.ts';
import { ClientGone } from '../front/call.ts';
import type { Phase } from '../front/call.ts';
import { held, noInstance, queueFull, queueTimeout, waitTooLong } from '../reply/faults.ts';
import { afterAnswer, afterCheck, afterFailure, afterNothing, failureSorts, healthState } from './health.ts';
import { isDraining } from './instance.ts';
import type { Instance } from './instance.ts';
import { Lease } from '../admission/lease.ts';
import type { Lessor } from '../admission/lease.ts';
import { uncounted } from '../limits/cache-tokens.ts';
import type { CacheTokens } from '../limits/cache-tokens.ts';
import { levelAt } from '../limits/pace.ts';
import type { Demand } from '../on-demand/demand.ts';
import type { Takeover } from './takeover.ts';
import { startWait } from '../admission/wait-bound.ts';
import { RetryBudget } from '../upstream/retry-budget.ts';

export interface DeploymentLimits {
  readonly queue: number;
  readonly queueMs: number;
  readonly queueBytes?: number | undefined;
}

/** Someone who waits for a slot; `cancel` takes it out of the queue. */
interface Waiter {
  readonly choice: Choice;
  readonly grant: (lease: Lease) => void;
  readonly refuse: (error: Error) => void;
}

/** What of a choice says where there is room for it. */
type Wants = Pick<Choice, 'tokens' | 'holder'>;

/** Where one waits: `enter` puts it where `dispatch` finds it, `exit` takes it out, `place` counts from 1. */
interface Line {
  readonly enter: (waiter: Waiter) => void;
  readonly exit: (waiter: Waiter) => void;
  readonly place: (waiter: Waiter) => number;
}

export interface AcquireOptions {
  /** Whose turn it is among those who wait. */
  readonly key: string;
  /** Who is served before whom; asked only where there is somebody to be served before. */
  readonly priority: () => Priority;
  /** How its instance is chosen. */
  readonly choice: Choice;
  /** Size of its body, which lies in memory while it waits. */
  readonly bytes: number;
  /** How long it may wait while the deployment is held; undefined: as long as in the queue. */
  readonly holdMs: number | undefined;
  /** What of that has gone by in lines that were closed. */
  readonly waitedMs: number;
  /** Called once with how to stop waiting: the promise then rejects with ClientGone. */
  readonly onWait: (phase: Phase) => void;
}

/** How an attempt went, for the instance's health. */
export type Verdict = 'answered' | 'erred' | 'connect-failed' | 'broke' | 'untold';

/** The replicas of one model server and those who wait for them. Survives reloads. */
export class Deployment implements Lessor {
  readonly name: string;
  instances: readonly Instance[] = [];
  limits: DeploymentLimits;
  meanServiceMs = 1000;
  /** Newcomers wait until then, by the monotonic clock, since its engine is being replaced; null as usual. */
  heldUntil: number | null = null;
  /** One of its engines takes over from another one; null as usual. */
  takeover: Takeover | null = null;
  /** Null for one that runs all the time. */
  demand: Demand | null = null;
  stoppedByHand = false;
  readonly retries = new RetryBudget();
  readonly #queue: BandQueue<Waiter>;
  /** Those whose instance was lost, with the ones that they have tried; served before the queue. */
  readonly #moved = new Map<Waiter, readonly Instance[]>();
  /** Requests that `meanServiceMs` was measured on. */
  #served = 0;
  #queuedBytes = 0;
  /** What those in line will hold of an engine's cache. */
  waitingTokens = 0;
  readonly #now: () => number;
  readonly #openings = new Openings<Instance>();
  /** Those that give their slot up for anybody, and how to send each away. */
  readonly #guests = new Map<Lease, () => void>();

  constructor(name: string, limits: DeploymentLimits, now: () => number) {
    this.name = name;
    this.limits = limits;
    this.#now = now;
    this.#queue = new BandQueue(now);
  }

  get waiting(): number {
    return this.#queue.size + this.#moved.size;
  }

  get held(): boolean {
    return this.heldUntil !== null && this.#now() < this.heldUntil;
  }

  /** Requests under way at its instances. */
  get inflight(): number {
    return this.instances.reduce((sum, instance) => sum + instance.inflight, 0);
  }

  /** Those of them that somebody waits for. A reload may have taken the instance of a guest away, and with it that from the sum. */
  get awaited(): number {
    const guests = [...this.#guests.keys()].filter(({ instance }) => this.instances.includes(instance));
    return this.inflight - guests.length;
  }

  /** A slot at once, or a wait in line, or ApiError 429, 503 or 504 with the time to come back. */
  acquire(options: AcquireOptions): Lease | Promise<Lease> {
    const { room } = this.#lookAgain(null, options.choice);
    // As `admission` says as well; but this is the usual case.
    if (room && this.#queue.size === 0)
      return this.#lease(this.#openings.pick(options.choice), options.choice);
    const bodiesFit = this.#queuedBytes + options.bytes <= (this.limits.queueBytes ?? Infinity);
    const verdict = admission({
      room,
      reachable: room || this.held || this.#shut || this.#reachable(),
      waiting: this.#queue.size,
      queueLimit: this.limits.queue,
      bodiesFit,
      late: () => !this.held && !this.#shut && this.#late(options),
    });
    switch (verdict) {
      case 'go':
        return this.#lease(this.#openings.pick(options.choice), options.choice);
      case 'wait':
        return this.#wait(options);
      case 'queue-full':
        if (!bodiesFit || !this.#shed(options.priority()))
          throw queueFull(this.name, this.#queue.size, this.retryAfter(), bodiesFit);
        return this.#wait(options);
      case 'too-late':
        throw waitTooLong(this.name, this.retryAfter());
      case 'unreachable':
        throw noInstance(this, this.retryAfter());
    }
  }

  /** A slot at an instance that has not been tried for this request; null when none is free right now. */
  acquireOther(tried: readonly Instance[], choice: Choice): Lease | null {
    const openings = this.#lookAgain(tried, choice);
    return openings.room ? this.#lease(openings.pick(choice), choice) : null;
  }

  /** A place at one instance whether it has a slot or not: for what only that one can answer, and at once. */
  pin(instance: Instance): Lease {
    return this.#lease(instance, uncounted);
  }

  /**
   * A slot for work that nobody waits for; null unless one is free and nobody is in line. Whoever needs it later gets it:
   * `leave` must give the lease back before it returns.
   */
  acquireGuest(choice: Choice, leave: () => void): Lease | null {
    if (this.waiting > 0 || !this.#look(null, choice).room) return null;
    const lease = this.#lease(this.#openings.pick(choice), choice, true);
    this.#guests.set(lease, leave);
    return lease;
  }

  /** Nobody waits for what guests do there: an instance that is to end does not either. Without one: from all of them. */
  sendGuestsAway(from?: Instance): void {
    for (const [lease, leave] of this.#guests) if (!from || lease.instance === from) leave();
  }

  /**
   * For a request that was lost with its instance: a slot at one that has not been tried, at once or after a wait before
   * all those in line; null when there is none that can be reached. Rejects with ApiError 504 when the wait is too long.
   */
  acquireInstead(
    tried: readonly Instance[],
    options: Pick<AcquireOptions, 'choice' | 'holdMs' | 'waitedMs' | 'onWait'>,
  ): Lease | Promise<Lease> | null {
    const lease = this.acquireOther(tried, options.choice);
    if (lease) return lease;
    const now = this.#now();
    const isThere = this.instances.some(
      (instance) => !tried.includes(instance) && healthState(instance.health, now) !== 'ejected',
    );
    if (!isThere && !this.held) return null;
    return this.#untilGranted(options, {
      enter: (waiter) => void this.#moved.set(waiter, tried),
      exit: (waiter) => void this.#moved.delete(waiter),
      place: (waiter) => 1 + [...this.#moved.keys()].indexOf(waiter),
    });
  }

  retryAfter(): number {
    if (this.demand && this.demand.state !== 'ready') return this.demand.readyIn;
    const service = this.#service();
    return retryAfter(service.slots === Infinity ? { ...service, slots: 1 } : service, Math.random());
  }

  /** Some instance counts what its requests hold of its cache. */
  get countsTokens(): boolean {
    return this.instances.some(({ room }) => room.kvLimit !== null);
  }

  #late(options: AcquireOptions): boolean {
    const waiting = this.#queue.placeOfNew(options.key, options.priority()) - 1;
    return surelyLate({ ...this.#service(), waiting }, this.limits.queueMs - options.waitedMs);
  }

  #service(): Service {
    const now = this.#now();
    const paced = this.instances.length > 0 && this.instances.every(({ room }) => room.pace !== null);
    return {
      waiting: this.#queue.size,
      slots: this.instances.reduce((sum, { slots }) => sum + (slots ?? Infinity), 0),
      meanServiceMs: this.meanServiceMs,
      served: this.#served,
      pace: paced
        ? {
            perSecond: this.instances.reduce((sum, { room }) => sum + room.usualRate, 0),
            level: this.instances.reduce(
              (sum, { room }) => sum + (room.pace ? levelAt(room.pace, now) : 0),
              0,
            ),
          }
        : null,
    };
  }

  /** Takes note of how an attempt went. */
  judge(instance: Instance, verdict: Verdict): void {
    if (verdict === 'answered') instance.health = afterAnswer(instance.health);
    else if (verdict === 'untold') instance.health = afterNothing(instance.health);
    else {
      const ejected = this.instances.filter((one) => one.health.ejectedUntil !== null).length;
      instance.health = afterFailure(instance.health, {
        now: this.#now(),
        sort: failureSorts[verdict],
        // At most half: when most look dead it is likelier the network, and trying beats refusing.
        mayEject: ejected + 1 <= this.instances.length / 2,
        hasCheck: instance.upstream.healthPath !== null,
      });
    }
  }

  /** Takes note of what the instance's healthPath answered. */
  checked(instance: Instance, answer: 'well' | 'loading'): void {
    instance.health = afterCheck(instance.health, answer, this.#now());
    this.dispatch();
  }

  /** Until a newcomer would be served, by the service times measured so far; 0 when that is at once or not known, or a load away. */
  get expectedWaitMs(): number {
    if (this.#shut || this.#served === 0 || this.#look(null, uncounted).room) return 0;
    return expectedMs({ ...this.#service(), waiting: this.waiting });
  }

  noteService(ms: number): void {
    this.meanServiceMs += (ms - this.meanServiceMs) * 0.1;
    this.#served += 1;
  }

  /** Grants free slots to those who wait; also called at each tick, since an ejection ends by time alone. */
  dispatch(): void {
    if (this.waiting === 0) return;
    for (const [waiter, tried] of this.#moved) {
      const lease = this.acquireOther(tried, waiter.choice);
      if (!lease) continue;
      this.#moved.delete(waiter);
      waiter.grant(lease);
    }
    for (let next = this.#queue.peek(); next; next = this.#queue.peek()) {
      if (!this.#look(null, next.choice).room) return;
      this.#queue.next();
      next.grant(this.#lease(this.#openings.pick(next.choice), next.choice));
    }
  }

  /** Nobody waits any longer: each gets its refusal. */
  refuseAll(refusal: () => Error): void {
    const moved = [...this.#moved.keys()];
    this.#moved.clear();
    for (const waiter of [...moved, ...this.#queue.drain()]) waiter.refuse(refusal());
  }

  /** Refuses someone of a lower band in place of a newcomer; false when nobody of one waits. */
  #shed(priority: Priority): boolean {
    const waiter = this.#queue.shed(priority);
    waiter?.refuse(queueFull(this.name, this.#queue.size, this.retryAfter()));
    return waiter !== undefined;
  }

  #wait(options: AcquireOptions): Promise<Lease> {
    this.#queuedBytes += options.bytes;
    this.waitingTokens += options.choice.tokens;
    return this.#untilGranted(options, {
      enter: (waiter) => this.#queue.add(options.key, waiter, options.priority()),
      exit: (waiter) => void this.#queue.remove(options.key, waiter),
      place: (waiter) => this.#moved.size + this.#queue.placeOf(options.key, waiter),
    }).finally(() => {
      this.#queuedBytes -= options.bytes;
      this.waitingTokens -= options.choice.tokens;
    });
  }

  #untilGranted(
    options: Pick<AcquireOptions, 'choice' | 'holdMs' | 'waitedMs' | 'onWait'>,
    { enter, exit, place }: Line,
  ): Promise<Lease> {
    const { choice, holdMs, waitedMs } = options;
    return new Promise((resolve, reject) => {
      const shut = this.#shut ? this.demand : null;
      const queueMs = this.limits.queueMs + (shut?.patienceMs ?? 0);
      // Throws where a load has failed a moment ago.
      const depart = this.demand?.arrive();
      function over(): void {
        callOff();
        depart?.();
      }
      const waiter: Waiter = {
        choice,
        grant: (lease) => {
          over();
          resolve(lease);
        },
        refuse: (error) => {
          over();
          reject(error);
        },
      };
      const mayWait = (): number => Math.max(0, (this.held ? (holdMs ?? queueMs) : queueMs) - waitedMs);
      const callOff = startWait(mayWait, (ms) => {
        exit(waiter);
        const asleep = this.#shut ? this.demand?.refusal() : undefined;
        const refusal = this.held ? held : queueTimeout;
        waiter.refuse(asleep ?? refusal(this.name, Math.round(ms + waitedMs), this.retryAfter()));
      });
      enter(waiter);
      options.onWait({
        leave: () => {
          exit(waiter);
          waiter.refuse(new ClientGone());
        },
        tell: () => (this.#shut ? (this.demand?.told ?? 'loading') : `queued pos=${place(waiter)}`),
      });
    });
  }

  /** A guest keeps no model on demand loaded. */
  #lease(instance: Instance, foreseen: CacheTokens, isGuest = false): Lease {
    if (instance.health.ejectedUntil !== null) instance.health = { ...instance.health, probing: true };
    if (!isGuest) this.demand?.touch();
    instance.room.enter(foreseen.tokens, this.#now());
    this.takeover?.dealt();
    return new Lease(instance, foreseen, this);
  }

  onGivenBack(lease: Lease): void {
    lease.instance.room.leave(lease.foreseen.tokens);
    const wasGuest = this.#guests.size > 0 && this.#guests.delete(lease);
    this.dispatch();
    if (!wasGuest) this.demand?.touch();
  }

  /** On demand, and not open now: it is loaded for whoever waits. */
  get #shut(): boolean {
    return this.demand !== null && !this.demand.open;
  }

  #reachable(): boolean {
    const now = this.#now();
    return this.instances.some(
      (instance) => healthState(instance.health, now) !== 'ejected' && !isDraining(instance, now),
    );
  }

  /** What is open; where nothing is, guests are sent away until something is. */
  #lookAgain(tried: readonly Instance[] | null, choice: Wants): Openings<Instance> {
    let openings = this.#look(tried, choice);
    if (openings.room || this.#guests.size === 0) return openings;
    for (const leave of this.#guests.values()) {
      if (openings.room) break;
      leave();
      openings = this.#look(tried, choice);
    }
    return openings;
  }

  /** While it is held, or on demand and not loaded, nothing is open. Who was let down by one of two engines may go to the other. */
  #look(tried: readonly Instance[] | null, choice: Wants): Openings<Instance> {
    const now = this.#now();
    const all = this.takeover && !tried ? this.takeover.among(choice, now) : this.instances;
    return this.#openings.look(this.held || this.#shut ? [] : all, now, tried, choice.tokens);
  }
}
