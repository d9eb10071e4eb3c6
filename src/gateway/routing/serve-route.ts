import { hashText } from '../../domain/hashing.ts';
import type { Priority } from '../../domain/key-limits.ts';
import { ApiError } from '../../domain/openai.ts';
import type { FallbackCause } from '../../domain/routing.ts';
import { unitOf } from '../front/ask.ts';
import type { Choice } from './balance.ts';
import { choiceOf, preferring } from './balancers.ts';
import { enterLine, leaveLine } from '../front/call.ts';
import type { Call, Phase } from '../front/call.ts';
import { CommentedReply } from '../reply/commented-reply.ts';
import { aWhile, endedHere, noInstance, waitTooLong } from '../reply/faults.ts';
import type { AcquireOptions, Deployment } from './deployment.ts';
import { causeOf } from './fallback.ts';
import { EngineLost, forward } from '../upstream/forward.ts';
import type { OnServed } from '../upstream/forward.ts';
import { cacheTokens, uncounted } from '../limits/cache-tokens.ts';
import { answerLength } from '../limits/memory.ts';
import { armsFor } from '../front/paths.ts';
import { headerText } from '../upstream/header-blocks.ts';
import { priorityHeader, priorityOf } from '../admission/priority.ts';
import { reserve } from '../admission/reserve.ts';
import { armOf, mayServe } from './resolve.ts';
import type { Lease } from '../admission/lease.ts';
import type { RouteState } from './routes.ts';
import { askLate } from '../traffic/closed-lines.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { GatewayState } from '../state.ts';

/** Names the route that served in place of the one that was asked for. */
const routeHeader = 'x-berth-route';

interface Serving {
  readonly state: GatewayState;
  readonly snapshot: Snapshot;
  readonly call: Call;
  readonly route: RouteState;
}

/**
 * Serves a call whose body has been read: by a deployment of its route, else by the others and then by the route's fallbacks, as
 * long as nothing has reached the client. Throws, or tells, ApiError, that of the first route when nobody can serve it, or ClientGone.
 */
export function serveRoute(serving: Serving, served: OnServed): void {
  if (serving.route.fallback === null) serveByOne(serving, served);
  else orElse(serving).then(() => served(null), served);
}

/** The same as a promise. */
function servedBy(serving: Serving): Promise<void> {
  return new Promise((resolve, reject) => {
    serveByOne(serving, (error) => (error === null ? resolve() : reject(error)));
  });
}

async function orElse({ state, snapshot, call, route }: Serving): Promise<void> {
  try {
    await servedBy({ state, snapshot, call, route });
  } catch (error) {
    const { series, computed } = call;
    const { deployment } = call.trail;
    for (const name of route.fallback?.to ?? []) {
      const next = snapshot.routes.get(name);
      if (
        next &&
        mayGoElsewhere(error, call, route) &&
        (await isServedBy(next, { state, snapshot, call, route }))
      )
        return;
    }
    // Nobody could: it is told, and counted, as if there were no fallback.
    call.series = series;
    call.computed = computed;
    call.trail.deployment = deployment;
    throw error;
  }
}

/** False when this one could not either, so that the next may try. */
async function isServedBy(next: RouteState, { state, snapshot, call, route }: Serving): Promise<boolean> {
  call.told = [routeHeader, headerText(next.name)];
  try {
    // Its own limits hold, and its price.
    await reserve(snapshot, call, next);
    await servedBy({ state, snapshot, call, route: next });
    state.meter.fellBack(call.model, next.name);
    return true;
  } catch (error) {
    if (mayGoElsewhere(error, call, route) || isUnfit(error)) return false;
    throw error;
  }
}

/** It was refused for a reason that the route gives away for, and nothing has reached the client. */
function mayGoElsewhere(error: unknown, call: Call, { fallback }: RouteState): boolean {
  const cause = causeIn(error, call);
  return cause !== null && (fallback?.on.includes(cause) ?? false);
}

/** Null also when it is too late to go elsewhere. A request that breaks its engine is let loose on one more, not on all of them. */
function causeIn(error: unknown, call: Call): FallbackCause | null {
  if (!(error instanceof ApiError) || call.reply.started || call.body === null || call.gone) return null;
  if (error instanceof EngineLost) return call.resets <= 1 ? 'unreachable' : null;
  return causeOf(error);
}

/** By one deployment of the route; where none of its engines can be reached, by the others of them. Throws, or tells, as `serveBy`. */
function serveByOne(serving: Serving, served: OnServed): void {
  const { call, route } = serving;
  if (route.arms.length === 1) {
    serveBy(serving, none, served);
    return;
  }
  const { told } = call;
  const tried: string[] = [];
  function end(error: unknown): void {
    const { deployment } = call.trail;
    const unreachable = causeIn(error, call) === 'unreachable';
    if (!unreachable || deployment === null || tried.includes(deployment)) {
      served(ofAll(route, error));
      return;
    }
    tried.push(deployment);
    if (route.arms.every((arm) => tried.includes(arm.deployment.name))) {
      served(ofAll(route, error));
      return;
    }
    serving.state.meter.retried('unreachable');
    call.told = told;
    call.trial = null;
    attempt();
  }
  function attempt(): void {
    try {
      serveBy(serving, tried, end);
    } catch (error) {
      end(error);
    }
  }
  attempt();
}

/** That one was stopped by hand does not say that the others do not come back by themselves. */
function ofAll({ name, arms }: RouteState, error: unknown): unknown {
  const isStopped = error instanceof ApiError && error.fault.code === 'deployment_stopped';
  if (!isStopped || arms.every(({ deployment }) => deployment.stoppedByHand)) return error;
  return noInstance({ name }, aWhile());
}

const none: readonly string[] = [];

/** It has no engine with this endpoint or with the model that the request names, or has reached a limit of its own. */
function isUnfit(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { status, limit, code } = error.fault;
  return status === 501 || limit !== undefined || misnamed.has(code ?? '');
}

/** Of requests that name a model below \`/upstream/\`, which is judged by the engines of each route. */
const misnamed = new Set(['model_not_allowed', 'model_ambiguous', 'model_unreadable']);

/** Whose request it is, where clients are held to their arms. Those that do not say who they are have each request dealt out by itself. */
function noteUnit(
  { units }: GatewayState,
  call: Call,
  { name, aliasOf, measure, split }: RouteState,
  deployment: string,
): void {
  const unit = split && unitOf(split.by, call);
  const hash = unit ? hashText(unit) : null;
  const experiment = aliasOf ?? name;
  const counted = hash === null || units.note(experiment, deployment, hash);
  if (measure === null || !counted) return;
  call.trial = { experiment, measure, deployment, client: hash?.toString(16) ?? '', ttft: null, tpot: null };
}

function holds({ instances }: Deployment, id: string | null): boolean {
  return instances.some((instance) => instance.id === id);
}

/** One route: deployment, none of those that were tried → slot → engine → reply. Throws, and then tells nothing, or tells. */
function serveBy(
  { state, snapshot, call, route }: Serving,
  tried: readonly string[],
  served: OnServed,
): void {
  const all = armsFor(snapshot, call, route);
  const arms = tried.length === 0 ? all : all.filter(({ deployment }) => !tried.includes(deployment.name));
  const kept = call.holder === null ? undefined : arms.find((one) => holds(one.deployment, call.holder));
  const arm = kept ?? armOf(arms, route.split, call, { now: state.now(), random: Math.random });
  if (!arm) throw noInstance({ name: route.name }, aWhile());
  const { deployment } = arm;
  if (snapshot !== state.snapshot) askLate(state, deployment, call.model);
  if (!mayServe(deployment))
    throw noInstance(deployment.stoppedByHand ? deployment : { name: route.name }, aWhile());
  call.trail.deployment = deployment.name;
  if (route.split) noteUnit(state, call, route, deployment.name);
  if (call.trail.cancelled) throw endedHere(call.trail.cancelled);
  call.series = state.meter.series(call.endpoint.path, call.endpoint.operation, call.model, deployment.name);
  // Behind a comment this could no longer be a status that clients and proxies understand.
  if (call.reply instanceof CommentedReply && deployment.expectedWaitMs > deployment.limits.queueMs)
    throw waitTooLong(deployment.name, deployment.retryAfter());
  if (arm.told.length > 0) call.told = [...call.told, ...arm.told];
  const { memory } = snapshot.limitsState;
  const inCache = deployment.countsTokens
    ? cacheTokens(memory, route.aliasOf ?? route.name, call)
    : uncounted;
  call.choice = choiceOf(arm.choice, call, inCache);
  if (call.holder !== null) call.choice = preferring(call.holder, call.choice);
  deployment.retries.onRequest();
  call.holdMs = route.holdMs;
  const waiting = deployment.acquire(new Asking(call, route));
  const again = tried.length > 0;
  const serving = { state, call, route, deployment, tokens: inCache.tokens, again };
  if (waiting instanceof Promise) waiting.then((lease) => serveLeased(lease, serving, served)).catch(served);
  else serveLeased(waiting, serving, served);
}

/** What a call wants of a deployment. An object and no closures: one is made for every request. */
class Asking implements AcquireOptions {
  readonly key: string;
  readonly choice: Choice;
  readonly bytes: number;
  readonly holdMs: number | undefined;
  readonly waitedMs: number;
  readonly #call: Call;
  readonly #route: RouteState;

  constructor(call: Call, route: RouteState) {
    this.key = call.key;
    this.choice = call.choice;
    this.bytes = call.body?.bytes.length ?? 0;
    this.holdMs = call.holdMs;
    this.waitedMs = call.waitedMs;
    this.#call = call;
    this.#route = route;
  }

  priority(): Priority {
    const { caller, inbound } = this.#call;
    return priorityOf({
      key: caller.limits?.priority,
      route: this.#route.priority,
      header: inbound.header(priorityHeader),
    });
  }

  onWait(phase: Phase): void {
    enterLine(this.#call, phase, performance.now());
  }
}

interface Leased extends Omit<Serving, 'snapshot'> {
  readonly deployment: Deployment;
  /** What it will probably hold of an engine's cache; 0 where nobody counts that. */
  readonly tokens: number;
  /** Another deployment was tried before. */
  readonly again: boolean;
}

/** From the slot on. */
function serveLeased(
  lease: Lease,
  { state, call, route, deployment, tokens, again }: Leased,
  served: OnServed,
): void {
  call.phase = null;
  call.leasedAt = performance.now();
  call.trail.leasedAt = call.leasedAt;
  leaveLine(call, call.leasedAt);
  call.series.queueWait.observe(call.queuedMs / 1000);
  const { body } = call;
  // A reservation notes it itself.
  const end = tokens === 0 || call.reservation ? served : noting(state, call, route, served);
  forward(call, { deployment, lease, context: state }, end);
  // What goes to an engine as it is may change its state: it is meant for that one.
  if (route.shadow && body && !again && !call.exact)
    state.shadows.mirror(call, body, route.shadow, Math.random());
}

/** Takes note of how long a good answer was. */
function noting(state: GatewayState, call: Call, route: RouteState, served: OnServed): OnServed {
  return (error) => {
    const output = error === null ? (call.spent?.output ?? 0) : 0;
    const { memory } = state.snapshot.limitsState;
    if (output > 0)
      answerLength(memory, route.aliasOf ?? route.name).observe(output / (call.body?.answers ?? 1));
    served(error);
  };
}
