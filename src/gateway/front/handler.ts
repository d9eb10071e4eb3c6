import { ApiError } from '../../domain/openai.ts';
import type { Handler, Inbound, Reply } from '../../io/http-server/types.ts';
import { prometheusContentType, prometheusText } from '../../stats/prometheus.ts';
import { mayAskFor, mayUse } from './caller.ts';
import type { Caller } from './caller.ts';
import { dialectOf, endpointAt, methodFault, ownPaths, pathFault } from './endpoints.ts';
import { draining, endpointForbidden, exactForbidden } from '../reply/faults.ts';
import { gaugeFamilies } from '../observe/gauges.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import { isReachable } from '../models.ts';
import { limitsOf, noQuotas } from '../limits/limits.ts';
import { modelsReply } from '../reply/models-reply.ts';
import { answerSwap } from '../on-demand/answer-swap.ts';
import { swapAsk } from '../on-demand/swap-paths.ts';
import { modelPath, noteRefusal, noteServed } from './own-answers.ts';
import { requestIdOf } from './request-ids.ts';
import { sendFault } from '../reply/send-fault.ts';
import { sendOwn } from '../reply/send-own.ts';
import type { RouteState } from '../routing/routes.ts';
import { serveModel } from '../routing/serve-model.ts';
import { serveStored } from '../stored/serve-stored.ts';
import type { GatewayState } from '../state.ts';
import { storedAsk } from '../stored/stored-responses.ts';
import { enginesOf } from '../upstream/engine-paths.ts';
import { exactOf, upstreamEndpoint, upstreamPrefix, withoutQuery } from '../upstream/upstream-path.ts';
import { isReading } from '../upstream/harmless-reads.ts';
import { requireRights } from '../upstream/upstream-rights.ts';

const own = new Set<string>(ownPaths);

/** The whole front: path, method, key, then who answers. `admit` throws ApiError for whoever may not even ask. */
export function createHandler(
  state: GatewayState,
  onFault: (error: unknown) => void,
  admit: (inbound: Inbound) => void = () => {},
): Handler {
  return (inbound, reply) => {
    const requestId = requestIdOf(inbound);
    function fail(error: unknown): void {
      if (!(error instanceof ApiError)) {
        onFault(error);
        if (!reply.finished) reply.abort();
        return;
      }
      state.meter.series('none', 'none', 'none').status(error.fault.status).value += 1;
      noteRefusal(state, inbound, error.fault, requestId);
      sendFault(reply, error.fault, { requestId, dialect: dialectOf(inbound) });
    }
    try {
      admit(inbound);
      return route(state, { inbound, reply, requestId }, fail)?.catch(fail);
    } catch (error) {
      fail(error);
      return undefined;
    }
  };
}

/** A request, short of who sends it. */
interface Asked {
  readonly inbound: Inbound;
  readonly reply: Reply;
  readonly requestId: string;
}

/** Throws, or rejects with, ApiError. `fail` hears of what comes to light later. */
function route(state: GatewayState, asked: Asked, fail: (error: unknown) => void): Promise<void> | undefined {
  const { inbound, reply, requestId } = asked;
  const path = withoutQuery(inbound.url);
  const endpoint = endpointAt.get(path);
  if (endpoint) {
    if (inbound.method !== 'POST') throw methodFault(inbound.method, path, 'POST');
    if (state.draining) throw draining();
    const caller = state.snapshot.keyring.identify(inbound);
    if (!mayUse(caller, endpoint)) throw endpointForbidden(path, [...(caller.endpoints ?? [])]);
    serveModel(state, { inbound, reply, endpoint, requestId, caller }, fail);
    return undefined;
  }
  const stored = storedAsk(inbound.method, path);
  if (stored !== null) {
    if (state.draining) throw draining();
    return serveStored(state, stored, asked, fail);
  }
  if (path.startsWith(upstreamPrefix)) {
    passUpstream(state, asked, fail);
    return undefined;
  }
  const swap = swapAsk(path);
  if (swap) return answerSwap(state, swap, asked);
  if (!own.has(path) && (!path.startsWith(modelPath) || path === modelPath)) throw pathFault(path);
  if (inbound.method !== 'GET' && inbound.method !== 'HEAD')
    throw methodFault(inbound.method, path, 'GET, HEAD');
  answerOwn(state, inbound, reply, { path, requestId });
  return undefined;
}

/** A budget of money holds for the caller. What an engine of several models is asked as it is has no price that is known here. */
function spendsMoney(caller: Caller, { config }: Snapshot): boolean {
  const { budget } = limitsOf(caller, config.quotas ?? noQuotas);
  return budget?.day?.usd !== undefined || budget?.month?.usd !== undefined;
}

/** To the engine of the model as it is. Throws ApiError. */
function passUpstream(state: GatewayState, asked: Asked, fail: (error: unknown) => void): void {
  if (state.draining) throw draining();
  const { routes, keyring } = state.snapshot;
  const caller = keyring.identify(asked.inbound);
  if (caller.models) throw exactForbidden('some models');
  const reads = isReading(asked.inbound.method);
  if (!reads && spendsMoney(caller, state.snapshot)) throw exactForbidden('an amount of money');
  const exact = exactOf(asked.inbound.url, (name) => routes.has(name));
  const path = withoutQuery(exact.target);
  const endpoint = endpointAt.get(path);
  if (caller.endpoints && !caller.endpoints.has(path) && !(endpoint && mayUse(caller, endpoint)))
    throw endpointForbidden(path, [...caller.endpoints]);
  const named = routes.get(exact.model);
  const engines = named ? enginesOf(named, routes) : [];
  requireRights({ caller, exact, inbound: asked.inbound }, engines, state.snapshot);
  if (exact.slashed !== null && reads && named) return toFolder(asked, exact.slashed);
  serveModel(state, { ...asked, endpoint: upstreamEndpoint, caller, exact }, fail);
}

/** The relative links of an engine's page count from its folder. */
function toFolder({ reply, requestId }: Asked, location: string): void {
  sendOwn(reply, { status: 307, type: 'text/plain', text: '', requestId, headers: ['Location', location] });
}

function answerOwn(
  state: GatewayState,
  inbound: Inbound,
  reply: Reply,
  asked: { path: string; requestId: string },
): void {
  const { path, requestId } = asked;
  const { snapshot } = state;
  switch (path) {
    case '/metrics': {
      if (snapshot.config.observe?.metricsKey) snapshot.keyring.requireKey(inbound);
      const genAi = snapshot.config.observe?.genAi ?? false;
      const text = prometheusText([...state.meter.families({ genAi }), ...gaugeFamilies(state)]);
      sendOwn(reply, { status: 200, type: prometheusContentType, text, requestId });
      return;
    }
    case '/healthz':
    // As servers of models have it.
    case '/health':
      sendJson(reply, 200, { status: 'ok' }, requestId);
      return;
    case '/readyz':
      answerReady(state, { inbound, reply, requestId });
      return;
    default: {
      const caller = snapshot.keyring.identify(inbound);
      const name = path.startsWith(modelPath) ? decode(path.slice(modelPath.length)) : null;
      const list = modelsReply(state, caller, { name, dialect: dialectOf(inbound) });
      sendJson(reply, 200, list, requestId);
      noteServed(state, inbound, requestId, caller.id);
    }
  }
}

/**
 * Ready: some route can serve, and we are not on our way out. One dead model must not take the others out of a proxy's reach. Names of
 * models are for whoever may have the list of them.
 */
function answerReady(state: GatewayState, { inbound, reply, requestId }: Asked): void {
  const { routes } = state.snapshot;
  const missing = [...routes.values()].filter((one) => !canServe(one, state));
  const isUnready = routes.size > 0 && missing.length === routes.size;
  const status = state.draining ? 'draining' : isUnready ? 'unready' : 'ready';
  const names = namesFor(state.snapshot, inbound);
  const value = {
    status,
    ...(names && { missing: missing.flatMap((one) => (names(one) ? [one.name] : [])) }),
  };
  if (status === 'ready') return sendJson(reply, 200, value, requestId);
  const waits = missing.flatMap((one) => one.arms.map((arm) => arm.deployment.retryAfter()));
  const wait = state.draining ? draining().fault.retryAfter : Math.min(60, ...waits);
  sendJson(reply, 503, value, requestId, ['Retry-After', String(wait)]);
}

/** Which routes the sender may ask for; null for one who shows no key where requests want one. */
function namesFor({ keyring }: Snapshot, inbound: Inbound): ((route: RouteState) => boolean) | null {
  try {
    const caller = keyring.identify(inbound);
    return (route) => mayAskFor(caller, route);
  } catch {
    return null;
  }
}

/** Itself, or by a fallback that takes what it cannot reach. */
function canServe({ arms, fallback }: RouteState, { snapshot, now }: GatewayState): boolean {
  const others = fallback?.on.includes('unreachable') ? fallback.to : [];
  const all = [...arms, ...others.flatMap((name) => snapshot.routes.get(name)?.arms ?? [])];
  return all.some(({ deployment }) => deployment.held || isReachable(deployment, now()));
}

function sendJson(
  reply: Reply,
  status: number,
  value: unknown,
  requestId: string,
  headers: readonly string[] = [],
): void {
  sendOwn(reply, { status, type: 'application/json', text: JSON.stringify(value), requestId, headers });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
