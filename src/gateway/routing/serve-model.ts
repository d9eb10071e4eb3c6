import type { Endpoint } from '../../domain/endpoints.ts';
import { ApiError } from '../../domain/openai.ts';
import type { Inbound, Reply } from '../../io/http-server/types.ts';
import type { Caller } from '../front/caller.ts';
import { ClientGone, leaveLine, LineClosed, watchClient } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import { plainChoice } from './balancers.ts';
import { CommentedReply } from '../reply/commented-reply.ts';
import type { Deployment } from './deployment.ts';
import { aWhile, endedHere, noInstance } from '../reply/faults.ts';
import { forwardOnly } from '../upstream/forward.ts';
import type { OnServed } from '../upstream/forward.ts';
import { BodyShare } from '../admission/held-bytes.ts';
import type { Instance } from './instance.ts';
import { holdsToModel, requireOneModel } from '../front/other-models.ts';
import { readBody } from '../front/read-body.ts';
import { reserve } from '../admission/reserve.ts';
import { routeNamed } from './route-named.ts';
import type { RouteState } from './routes.ts';
import type { ScannedBody } from '../front/request-body.ts';
import { sendFault } from '../reply/send-fault.ts';
import { serveRoute } from './serve-route.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { GatewayState } from '../state.ts';
import { noteHolder } from '../stored/goes-on.ts';
import { newTrail } from '../accounts/trail.ts';
import { computedName } from '../upstream/computed-route.ts';
import { enginesOf } from '../upstream/engine-paths.ts';
import { namedModels } from '../upstream/named-models.ts';
import { withoutQuery } from '../upstream/upstream-path.ts';
import type { Exact } from '../upstream/upstream-path.ts';
import { endpointAt } from '../front/endpoints.ts';

export interface ModelRequest {
  readonly inbound: Inbound;
  readonly reply: Reply;
  readonly endpoint: Endpoint;
  readonly requestId: string;
  readonly caller: Caller;
  /** Of a request whose path names the model and which is passed on as it is. */
  readonly exact?: Exact;
  /** Nobody else can answer it. */
  readonly pinned?: { readonly deployment: Deployment; readonly instance: Instance };
}

/**
 * Serves one request that names a model: body → route → slot → engine → reply. Counts it however it ends. `onFault` hears of
 * what is nobody's error but the gateway's; nothing is thrown.
 */
export function serveModel(
  state: GatewayState,
  request: ModelRequest,
  onFault: (error: unknown) => void,
): void {
  const call = createCall(state, request);
  watchClient(call);
  let over = false;
  function served(error: unknown): void {
    if (over) return;
    if (error instanceof LineClosed) {
      serveAnew(state, call, served);
      return;
    }
    over = true;
    // It is called from within a socket's events: what is thrown there would end the process.
    try {
      conclude(state, call, error);
    } catch (fault) {
      onFault(fault);
    }
  }
  try {
    state.observer.began(call);
    if (request.pinned) void runPinned(state, call, request.pinned, served);
    else run(state, call, served);
  } catch (error) {
    served(error);
  }
}

/** By whoever serves its route by now: it has waited in vain, and nothing of an answer has come. */
function serveAnew(state: GatewayState, call: Call, served: OnServed): void {
  const { snapshot } = state;
  call.waitedMs += leaveLine(call, performance.now());
  call.told = none;
  call.trial = null;
  try {
    if (call.gone) throw new ClientGone();
    const route = snapshot.routes.get(call.model);
    if (!route) throw noInstance({ name: call.model }, aWhile());
    serveRoute({ state, snapshot, call, route }, served);
  } catch (error) {
    served(error);
  }
}

function conclude(state: GatewayState, call: Call, error: unknown): void {
  try {
    if (error !== null) refuse(state, call, error);
  } finally {
    close(state, call);
  }
}

/** Gives back what it holds, and counts it. */
function close(state: GatewayState, call: Call): void {
  if (call.reply instanceof CommentedReply) call.reply.stop();
  call.share.release();
  call.reservation?.settle(call.spent, call.trail.deployment);
  if (call.trail.deployment === null && call.model !== '')
    call.series = state.meter.series(call.endpoint.path, call.endpoint.operation, call.model);
  count(state, call);
  leaveLine(call, performance.now());
  state.observer.ended(call);
}

const none: readonly string[] = [];

function createCall(state: GatewayState, request: ModelRequest): Call {
  const { endpoint } = request;
  const now = performance.now();
  return {
    id: request.requestId,
    inbound: request.inbound,
    reply: request.reply,
    endpoint,
    countedAs: countedAs(request),
    caller: request.caller,
    key: request.caller.id,
    exact: request.exact ?? null,
    startedAt: now,
    place: -1,
    serial: 0,
    share: new BodyShare(state.held),
    trail: newTrail(Date.now()),
    series: state.meter.series(endpoint.path, endpoint.operation, 'unknown'),
    body: null,
    model: '',
    replyAs: null,
    names: none,
    computed: null,
    choice: plainChoice,
    holdMs: undefined,
    lineSince: null,
    readAt: now,
    queuedMs: 0,
    waitedMs: 0,
    holder: null,
    told: none,
    leasedAt: now,
    resets: 0,
    phase: null,
    gone: false,
    reservation: null,
    trial: null,
    spent: null,
    status: 0,
  };
}

function countedAs({ endpoint, exact }: ModelRequest): Endpoint {
  return exact ? (endpointAt.get(withoutQuery(exact.target)) ?? endpoint) : endpoint;
}

/** Throws, and then tells nothing, or tells: what comes at once needs no promise. */
function run(state: GatewayState, call: Call, served: OnServed): void {
  const { snapshot } = state;
  const body = readBody(snapshot, call);
  if (body instanceof Promise)
    body.then((read) => runRead({ state, snapshot, call, body: read }, served)).catch(served);
  else runRead({ state, snapshot, call, body }, served);
}

interface Read {
  readonly state: GatewayState;
  /** That in whose force the request came. */
  readonly snapshot: Snapshot;
  readonly call: Call;
  readonly body: ScannedBody;
}

function runRead({ state, snapshot, call, body }: Read, served: OnServed): void {
  call.body = body;
  const route = routeNamed(snapshot, call.caller, { endpoint: call.endpoint, model: body.model });
  call.model = route.name;
  if (route.isNamed && !call.exact) call.replyAs = route.name;
  call.trail.stream = body.stream;
  call.trail.bytesIn = body.bytes.length;
  if (call.exact) call.names = namedModels(call.exact, call.inbound, body.bytes);
  else if (body.fallbackKey !== null && holdsToModel(call.caller, snapshot))
    requireOneModel(body.fallbackKey, enginesOf(route, snapshot.routes));
  const noted = noteHolder(state.stored, call);
  const asked = { state, snapshot, call, route };
  if (noted) noted.then(() => runAsked(asked, body, served)).catch(served);
  else runAsked(asked, body, served);
}

interface Asked extends Omit<Read, 'body'> {
  readonly route: RouteState;
}

function runAsked(asked: Asked, body: ScannedBody, served: OnServed): void {
  const { state, snapshot, call, route } = asked;
  commentWhileWaiting(state, call);
  state.observer.read(call, body.bytes);
  const reserved = reserve(snapshot, call, route);
  if (reserved) reserved.then(() => serveRoute(asked, served)).catch(served);
  else serveRoute(asked, served);
}

/** It takes nothing of its caller's limits, and no engine computes for it. */
async function runPinned(
  state: GatewayState,
  call: Call,
  { deployment, instance }: NonNullable<ModelRequest['pinned']>,
  served: OnServed,
): Promise<void> {
  try {
    call.body = await readBody(state.snapshot, call);
    call.model = call.body.model ?? '';
    call.trail.bytesIn = call.body.bytes.length;
    call.trail.deployment = deployment.name;
    const { path, operation } = call.endpoint;
    call.series = state.meter.series(path, operation, call.model, deployment.name);
    state.observer.read(call, call.body.bytes);
  } catch (error) {
    served(error);
    return;
  }
  forwardOnly(call, { deployment, lease: deployment.pin(instance), context: state }, served);
}

function commentWhileWaiting(state: GatewayState, call: Call): void {
  const everyMs = state.snapshot.config.waitCommentsMs;
  if (everyMs === undefined || call.body?.stream !== true) return;
  call.reply = new CommentedReply(call.reply, {
    dialect: call.endpoint.dialect,
    requestId: call.id,
    everyMs,
    after: state.after,
    tell: () => call.phase?.tell() ?? 'waiting',
  });
}

/** Of the refusals that are no 429, those by a bound on waiting. */
const lateCodes = new Set(['queue_timeout', 'wait_too_long']);

function refuse(state: GatewayState, call: Call, error: unknown): void {
  if (call.gone || (error instanceof ClientGone && !call.trail.cancelled)) {
    call.status = 499;
    return;
  }
  const fault =
    error instanceof ApiError
      ? error.fault
      : error instanceof ClientGone
        ? endedHere(call.trail.cancelled ?? 'operator').fault
        : ({
            status: 500,
            type: 'server_error',
            code: 'internal',
            message: 'The gateway has a fault.',
          } as const);
  call.status = fault.status;
  call.trail.code = fault.code;
  if (fault.limit) state.meter.rejected(fault.limit.scope, fault.limit.reason);
  else if (fault.status === 429 || lateCodes.has(fault.code ?? ''))
    state.meter.rejected(call.model === '' ? 'gateway' : 'deployment', fault.code ?? 'limit');
  if (call.reply.started) call.reply.abort();
  else sendFault(call.reply, fault, { requestId: call.id, dialect: call.endpoint.dialect });
  if (!(error instanceof ApiError || error instanceof ClientGone)) throw error;
}

function count(state: GatewayState, call: Call): void {
  const seconds = (performance.now() - call.startedAt) / 1000;
  call.series.status(call.status).value += 1;
  call.series.duration.observe(seconds);
  call.series.genAiDuration(call.status < 400 ? '' : String(call.status)).observe(seconds);
  if (call.trial) state.trials.note(call.trial, { status: call.status, seconds });
  const { inputTokens, outputTokens } = call.trail;
  state.meter.used(call.key, { input: inputTokens ?? 0, output: outputTokens ?? 0 });
  state.usage.note({
    caller: call.caller,
    model: computedName(call),
    status: call.status,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
  });
}
