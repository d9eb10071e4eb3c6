import type { LoadNews } from '../../domain/gateway-control.ts';
import type { DemandPhase, DemandState, OnDemandConfig } from '../../domain/on-demand.ts';
import type { Deployment } from '../routing/deployment.ts';
import { aWhile, modelTooLarge, noInstance } from '../reply/faults.ts';
import { chooseEvictions } from './choose-evictions.ts';
import type { EvictionInput, Resident } from './choose-evictions.ts';
import { Demand } from './demand.ts';

/**
 * Starts and stops engines for the gateway. All calls return at once: how a fetch and a load go on is told as LoadNews, and that an
 * engine runs or is gone by the next configuration.
 */
export interface Starter {
  readonly fetch: (deployment: string) => void;
  readonly load: (deployment: string) => void;
  readonly unload: (deployment: string) => void;
}

interface Taken {
  readonly onDemand: OnDemandConfig | undefined;
  readonly deployments: ReadonlyMap<string, Deployment>;
  readonly queueMs: number;
}

const shortestPatienceMs = 1_000;

/** All models on demand: decides which are loaded and which end. Lives as long as the gateway; a reload changes what it knows. */
export class Demands {
  readonly #starter: Starter | null;
  readonly #now: () => number;
  #all = new Map<string, Demand>();
  #config: OnDemandConfig | undefined;
  #queueMs = 0;
  #poked = false;
  #turns = 0;

  constructor(starter: Starter | null, now: () => number) {
    this.#starter = starter;
    this.#now = now;
  }

  get list(): readonly Demand[] {
    return [...this.#all.values()];
  }

  /** Takes in a configuration: which models there are, and which of them run. */
  adopt({ onDemand, deployments, queueMs }: Taken): void {
    this.#config = onDemand;
    this.#queueMs = queueMs;
    const before = this.#all;
    this.#all = new Map();
    for (const model of this.#starter ? (onDemand?.models ?? []) : []) {
      const deployment = deployments.get(model.deployment);
      if (!deployment) continue;
      const kept = before.get(model.deployment);
      const ports = { now: this.#now, takeTurn: () => (this.#turns += 1), poke: () => this.#poke() };
      const demand = kept?.deployment === deployment ? kept : new Demand(deployment, model, ports);
      if (demand.model.startedAs !== model.startedAs) demand.forgive();
      demand.model = model;
      demand.become(stateAfter(demand.state, model.phase));
      this.#all.set(model.deployment, demand);
    }
    for (const deployment of deployments.values()) {
      deployment.demand = this.#all.get(deployment.name) ?? null;
      deployment.dispatch();
    }
    for (const [name, { state, deployment }] of before)
      // Nobody loads it any more, so that nobody would ever come to those who wait.
      if (!this.#all.has(name) && state !== 'ready' && !deployments.get(name)?.instances.length)
        deployment.refuseAll(() => noInstance(deployment, aWhile()));
    this.#poke();
  }

  hear(news: LoadNews): void {
    const demand = this.#all.get(news.deployment);
    if (!demand) return;
    if (news.do === 'load-progress') demand.hearPart(news.part);
    else if (news.do === 'load-failed' && demand.onItsWay) demand.fail(news.reason);
    else if (news.do === 'fetch-ended' && demand.state === 'fetching') {
      // The configuration that says so may not have come: it would be fetched again at once, and again.
      demand.model = { ...demand.model, toFetch: false };
      demand.become('unloaded');
    }
    this.#poke();
  }

  /** Unloads one, or all without a name, as soon as its requests have ended. False when there is no such model. */
  dismiss(name?: string): boolean {
    const named = this.list.filter((one) => name === undefined || one.deployment.name === name);
    for (const demand of named)
      if (demand.state === 'ready') demand.dismissed = true;
      else if (demand.onItsWay && demand.idle) this.#unload(demand);
      else if (demand.onItsWay) demand.leaveOnceServed();
    this.#poke();
    return name === undefined || named.length > 0;
  }

  /** Called at each tick: idle times and patience end by time alone. */
  tick(): void {
    if (this.#all.size > 0) this.#decide();
  }

  /** Once a turn of the event loop, however many came and went in it. */
  #poke(): void {
    if (this.#poked) return;
    this.#poked = true;
    queueMicrotask(() => {
      this.#poked = false;
      this.#decide();
    });
  }

  #decide(): void {
    const now = this.#now();
    for (const demand of this.#all.values()) {
      demand.settleLeave();
      if (isOver(demand, now)) this.#unload(demand);
    }
    const close = this.#serveWanted(now);
    for (const demand of this.#all.values()) {
      const closed = close.has(demand.deployment.name);
      const reopened = demand.closed && !closed;
      demand.closed = closed;
      if (reopened) demand.deployment.dispatch();
    }
  }

  /** Names of those that may take nothing new. */
  #serveWanted(now: number): Set<string> {
    const close = new Set<string>();
    for (const demand of this.list) if (demand.wanted && demand.model.toFetch) this.#fetch(demand);
    const wanted = this.list.filter((one) => one.wanted).toSorted((a, b) => a.turn - b.turn);
    for (const demand of wanted) {
      const verdict = chooseEvictions({
        wanted: { name: demand.deployment.name, need: demand.model.need },
        residents: this.list.flatMap((one) =>
          residentOf(one, { now, demand, patience: this.#patience(demand, one) }),
        ),
        ...this.#space,
      });
      if (verdict.do === 'load') this.#load(demand);
      else if (verdict.do === 'evict') for (const name of verdict.names) this.#unload(this.#all.get(name));
      else if (verdict.do === 'wait') for (const name of verdict.close) close.add(name);
      else this.#refuseAsTooLarge(demand);
      // What others give up for the one who has waited longest is for nobody else.
      if (verdict.do !== 'load' && demand.waitedMs >= this.#patience(demand, demand)) break;
    }
    return close;
  }

  get #space(): Pick<EvictionInput, 'room' | 'sets'> {
    return { room: this.#config?.room ?? { host: null, gpu: null }, sets: this.#config?.sets ?? null };
  }

  #patience(wanted: Demand, other: Demand): number {
    return patienceMs(this.#config?.patienceMs ?? null, wanted.loadMs + other.loadMs, this.#queueMs);
  }

  /** Takes no room of others: that is made once it is here, and its size is known. */
  #fetch(demand: Demand): void {
    const { name } = demand.deployment;
    const alone = { wanted: { name, need: demand.model.need }, residents: [], ...this.#space };
    if (chooseEvictions(alone).do === 'never') return this.#refuseAsTooLarge(demand);
    demand.become('fetching');
    this.#starter?.fetch(name);
  }

  #refuseAsTooLarge({ deployment, model }: Demand): void {
    const { room } = this.#space;
    deployment.refuseAll(() => modelTooLarge(deployment.name, model.need, room));
  }

  #load(demand: Demand): void {
    demand.become('loading');
    this.#starter?.load(demand.deployment.name);
  }

  #unload(demand: Demand | undefined): void {
    if (!demand) return;
    demand.become('unloading');
    demand.deployment.sendGuestsAway();
    this.#starter?.unload(demand.deployment.name);
  }
}

/**
 * How long one model's requests wait while another is kept busy: as long as both take to load, so that at least half of the time goes
 * into serving; at most half of the time that a request may wait for a slot.
 */
export function patienceMs(stated: number | null, loadsMs: number, queueMs: number): number {
  return stated ?? Math.max(shortestPatienceMs, Math.min(loadsMs, queueMs / 2));
}

/** Empty while it takes no memory. */
function residentOf(
  one: Demand,
  { now, demand, patience }: { now: number; demand: Demand; patience: number },
): Resident[] {
  if (one.state === 'unloaded' || one.state === 'fetching' || one.state === 'failed') return [];
  return [
    {
      name: one.deployment.name,
      need: one.model.need,
      leaving: one.state === 'unloading',
      idle: one.idle,
      closable: one.state === 'ready' && demand.waitedMs >= patience && now - one.since >= patience,
      idleMs: Math.max(0, now - one.lastUsedAt),
      loadMs: one.loadMs,
    },
  ];
}

/** Its idle time has passed, or its last request since it was dismissed has ended. */
function isOver(demand: Demand, now: number): boolean {
  if (demand.state !== 'ready' || demand.deployment.awaited > 0) return false;
  if (demand.dismissed) return true;
  const { ttlMs } = demand.model;
  return demand.idle && ttlMs > 0 && now - demand.lastUsedAt >= ttlMs;
}

/** The gateway knows what it has asked for, the configuration what has come of it; an old one may still be on its way. */
function stateAfter(state: DemandState, phase: DemandPhase): DemandState {
  switch (phase) {
    case 'running':
      return state === 'unloading' ? 'unloading' : 'ready';
    case 'fetching':
      return state === 'unloading' ? 'unloading' : 'fetching';
    case 'starting':
      return state === 'unloading' ? 'unloading' : 'loading';
    case 'ending':
      return 'unloading';
    case 'gone':
      return state === 'fetching' || state === 'loading' || state === 'failed' ? state : 'unloaded';
  }
}
