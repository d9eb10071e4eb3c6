import type { Endpoint } from '../../domain/endpoints.ts';
import { ApiError } from '../../domain/openai.ts';
import type { Inbound, Reply } from '../../io/http-server/types.ts';
import type { Caller } from '../front/caller.ts';
import { ClientGone, watchClient } from '../front/call.ts';
import type { Call } from '../front/call.ts';
import { plainChoice } from './balancers.ts';
import { CommentedReply } from '../reply/commented-reply.ts';
import type { Deployment } from './deployment.ts';
import { cancelled } from '../reply/faults.ts';
import { forwardOnly } from '../upstream/forward.ts';
import { BodyShare } from '../admission/held-bytes.ts';
import type { Instance } from './instance.ts';
import { readBody } from '../front/read-body.ts';
import { reserve } from '../admission/reserve.ts';
import { routeNamed } from './route-named.ts';
import type { RouteState } from './routes.ts';
import { previousResponseOf } from '../front/request-body.ts';
import type { ScannedBody } from '../front/request-body.ts';
import { sendFault } from '../reply/send-fault.ts';
import { serveRoute } from './serve-route.ts';
import type { Snapshot } from '../observe/snapshot.ts';
import type { GatewayState } from '../state.ts';
import { newTrail } from '../accounts/trail.ts';
import type { Exact } from '../upstream/upstream-path.ts';

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

/** Serves one request that names a model: body → route → slot → engine → reply. Counts it however it ends. */
export async function serveModel(state: GatewayState, request: ModelRequest): Promise<void> {
  const call = createCall(state, request);
  watchClient(call);
  try {
    state.observer.began(call);
    await (request.pinned ? runPinned(state, call, request.pinned) : run(state, state.snapshot, call));
  } catch (error) {
    refuse(state, call, error);
  } finally {
    if (call.reply instanceof CommentedReply) call.reply.stop();
    call.share.release();
    call.reservation?.settle(call.spent);
    if (call.trail.deployment === null && call.model !== '')
      call.series = state.meter.series(call.endpoint.path, call.endpoint.operation, call.model);
    count(state, call);
    state.observer.ended(call);
  }
}

const nothingTold: readonly string[] = [];

function createCall(state: GatewayState, request: ModelRequest): Call {
  const { endpoint } = request;
  const now = performance.now();
  return {
    id: request.requestId,
    inbound: request.inbound,
    reply: request.reply,
    endpoint,
    caller: request.caller,
    key: request.caller.id,
    exact: request.exact ?? null,
    startedAt: now,
    place: -1,
    share: new BodyShare(state.held),
    trail: newTrail(Date.now()),
    series: state.meter.series(endpoint.path, endpoint.operation, 'unknown'),
    body: null,
    model: '',
    choice: plainChoice,
    holdMs: undefined,
    holder: null,
    told: nothingTold,
    leasedAt: now,
    phase: null,
    gone: false,
    reservation: null,
    spent: null,
    status: 0,
  };
}

/** Throws as it rejects: what it waits for is no promise of its own. */
function run(state: GatewayState, snapshot: Snapshot, call: Call): Promise<void> {
  const body = readBody(snapshot, call);
  return body instanceof Promise
    ? body.then((read) => runRead(state, snapshot, call, read))
    : runRead(state, snapshot, call, body);
}

function runRead(state: GatewayState, snapshot: Snapshot, call: Call, body: ScannedBody): Promise<void> {
  call.body = body;
  const route = routeNamed(snapshot, call.caller, { endpoint: call.endpoint, model: body.model });
  call.model = route.name;
  call.trail.stream = body.stream;
  call.trail.bytesIn = body.bytes.length;
  const noted =
    !state.stored.none && call.endpoint.path === '/v1/responses' ? noteHolder(state, call) : undefined;
  return noted
    ? noted.then(() => runAsked(state, snapshot, call, { body, route }))
    : runAsked(state, snapshot, call, { body, route });
}

function runAsked(
  state: GatewayState,
  snapshot: Snapshot,
  call: Call,
  { body, route }: { body: ScannedBody; route: RouteState },
): Promise<void> {
  commentWhileWaiting(state, call);
  state.observer.read(call, body.bytes);
  const asked = reserve(snapshot, call, route);
  return asked
    ? asked.then(() => serveRoute(state, snapshot, call, route))
    : serveRoute(state, snapshot, call, route);
}

/** A response that goes on from a stored one is best made where that lies. */
function noteHolder({ stored }: GatewayState, call: Call): Promise<void> | undefined {
  const id = call.body && previousResponseOf(call.body.bytes);
  const holder = id ? stored.holderOf(id, call.key) : null;
  if (holder instanceof Promise)
    return holder.then((found) => {
      call.holder = found?.instance || null;
      if (call.gone) throw new ClientGone();
    });
  call.holder = holder?.instance ?? null;
  return undefined;
}

/** It takes nothing of its caller's limits, and no engine computes for it. */
async function runPinned(
  state: GatewayState,
  call: Call,
  { deployment, instance }: NonNullable<ModelRequest['pinned']>,
): Promise<void> {
  call.body = await readBody(state.snapshot, call);
  call.model = call.body.model ?? '';
  call.trail.bytesIn = call.body.bytes.length;
  call.trail.deployment = deployment.name;
  call.series = state.meter.series(call.endpoint.path, call.endpoint.operation, call.model, deployment.name);
  state.observer.read(call, call.body.bytes);
  await forwardOnly(call, deployment, deployment.pin(instance), state);
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
        ? cancelled().fault
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
  const { inputTokens, outputTokens } = call.trail;
  state.meter.used(call.key, { input: inputTokens ?? 0, output: outputTokens ?? 0 });
  state.usage.note({
    caller: call.caller,
    model: call.model,
    status: call.status,
    inputTokens: inputTokens ?? 0,
    outputTokens: outputTokens ?? 0,
  });
}
