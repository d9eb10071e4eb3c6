import { formatBytes } from '../../domain/format.ts';
import type { MemoryNeed, MemoryRoom } from '../../domain/on-demand.ts';
import { ApiError } from '../../domain/openai.ts';
import type { ApiFault } from '../../domain/openai.ts';
import type { EndedBy } from '../accounts/trail.ts';
import type { FailureKind } from '../../io/upstream-pool/types.ts';

/** Whole seconds where nothing tells how long it will take; not the same for all, lest they all come back at once. */
export function aWhile(): number {
  return 4 + Math.floor(Math.random() * 5);
}

/**
 * Every refusal of the gateway's own. 4xx: the request or its sender; 429: this sender must slow down; 503: nobody can
 * serve it now; 504: a deadline; 502: the upstream broke.
 */
export function badRequest(message: string, param: string | null, code: string): ApiError {
  return new ApiError({ status: 400, type: 'invalid_request_error', code, message, param });
}

export function unsupportedMedia(message: string): ApiError {
  return new ApiError({
    status: 415,
    type: 'invalid_request_error',
    code: 'unsupported_media_type',
    message,
  });
}

export function keyMissing(): ApiError {
  const message = 'This gateway wants an API key: send "Authorization: Bearer KEY" or "x-api-key: KEY".';
  return unauthenticated('api_key_missing', message);
}

export function keyUnknown(): ApiError {
  const message = 'This API key is not known here.';
  return unauthenticated('invalid_api_key', message);
}

export function keyExpired(when: string): ApiError {
  const message = `This API key expired at ${when}. Ask whoever runs this gateway for a new one.`;
  return unauthenticated('api_key_expired', message);
}

const wantsControl =
  'This path wants a key for control: one made with "berth keys add NAME --control", or the token of the console.';

export function controlKeyMissing(): ApiError {
  return unauthenticated('api_key_missing', wantsControl);
}

export function controlRefused(): ApiError {
  const message = wantsControl;
  return new ApiError({ status: 403, type: 'permission_error', code: 'control_key_needed', message });
}

export function modelForbidden(model: string, allowed: readonly string[]): ApiError {
  const message = `This API key may not ask for the model "${model}". It may ask for: ${allowed.join(', ') || 'none'}.`;
  return new ApiError({
    status: 403,
    type: 'permission_error',
    code: 'model_not_allowed',
    param: 'model',
    message,
  });
}

export function endpointForbidden(path: string, allowed: readonly string[]): ApiError {
  const message = `This API key may not use ${path}. It may use: ${allowed.join(', ') || 'none'}.`;
  return new ApiError({ status: 403, type: 'permission_error', code: 'endpoint_not_allowed', message });
}

/** Of what an engine is asked as it is too little is read for that. */
export function exactForbidden(bound: 'some models' | 'an amount of money'): ApiError {
  const message = `This API key is bounded to ${bound}, and a request that goes to an engine as it is cannot be held to that.`;
  return new ApiError({ status: 403, type: 'permission_error', code: 'endpoint_not_allowed', message });
}

/** Its limits are not known, as no route leads to it. */
export function modelNotOffered(model: string, asked: string): ApiError {
  const message = `By /upstream/${shownName(asked)}/ this gateway offers no model "${shownName(model)}". Ask for one that it lists at /v1/models and that the same engine has, or use a key for control.`;
  const type = 'permission_error';
  return new ApiError({ status: 403, type, code: 'model_not_allowed', param: 'model', message });
}

export function modelAmbiguous(names: readonly string[]): ApiError {
  const message = `The request names more than one model: ${names.map((name) => `"${shownName(name)}"`).join(', ')}.`;
  return badRequest(message, 'model', 'model_ambiguous');
}

/** A server elsewhere would take one of them where the first one fails, whatever bounds its caller and it. */
export function otherModels(key: string): ApiError {
  const message = `"${key}" names other models than "model" does, and this key or a model here is bounded. Leave it out; whoever runs this gateway can name fallbacks.`;
  return badRequest(message, key, 'fallbacks_refused');
}

export function modelUnread(): ApiError {
  const message =
    'Which one model this body names cannot be read, and its engine may have several: send a JSON object (Content-Type: application/json) or a plain form with one "model", without Content-Encoding.';
  return badRequest(message, 'model', 'model_unreadable');
}

function unauthenticated(code: string, message: string): ApiError {
  const headers = ['WWW-Authenticate', 'Bearer'];
  return new ApiError({ status: 401, type: 'authentication_error', code, message, headers });
}

export function bodyTooLarge(limitBytes: number): ApiError {
  const message = `The request body is larger than this gateway's limit of ${limitBytes} bytes.`;
  return new ApiError({ status: 413, type: 'invalid_request_error', code: 'body_too_large', message });
}

export function bodiesFull(retryAfter: number): ApiError {
  const message = 'The request bodies that wait here fill the memory set aside for them. Try again later.';
  return new ApiError({ status: 429, type: 'rate_limit_error', code: 'bodies_full', message, retryAfter });
}

export function queueFull(
  deployment: string,
  waiting: number,
  retryAfter: number,
  bodiesFit = true,
): ApiError {
  const why = bodiesFit
    ? `and ${waiting} ${waiting === 1 ? 'request waits' : 'requests wait'} already.`
    : 'and with this body those that wait would be larger than what may wait here.';
  const message = `All slots of ${deployment} are taken, ${why} Try again later.`;
  return new ApiError({ status: 429, type: 'rate_limit_error', code: 'queue_full', message, retryAfter });
}

export function queueTimeout(deployment: string, waitedMs: number, retryAfter: number): ApiError {
  const message = `No slot of ${deployment} became free within ${waitedMs} ms.`;
  return new ApiError({ status: 504, type: 'server_error', code: 'queue_timeout', message, retryAfter });
}

export function held(deployment: string, waitedMs: number, retryAfter: number): ApiError {
  const message = `${deployment} is being replaced, and was not back within ${waitedMs} ms. Try again later.`;
  return new ApiError({
    status: 503,
    type: 'server_error',
    code: 'deployment_held',
    message,
    retryAfter,
  });
}

export function modelMissing(known: readonly string[]): ApiError {
  const message = `The body names no model. Models: ${known.join(', ') || 'none'}.`;
  return badRequest(message, 'model', 'model_missing');
}

/** An operator ended the request; clients are told not to try again by themselves. */
function cancelled(): ApiError {
  return new ApiError({
    status: 503,
    type: 'server_error',
    code: 'request_cancelled',
    message: 'An operator of this gateway ended the request.',
    headers: ['x-should-retry', 'false'],
  });
}

/** For a request that somebody else than its client has ended. */
export function endedHere(by: EndedBy): ApiError {
  if (by === 'operator') return cancelled();
  return by === 'shutdown' ? draining() : addressClosed();
}

export function modelUnknown(model: string, known: readonly string[]): ApiError {
  const message = `The model "${shownName(model)}" does not exist here. Models: ${known.join(', ') || 'none'}.`;
  return new ApiError({
    status: 404,
    type: 'invalid_request_error',
    code: 'model_not_found',
    param: 'model',
    message,
  });
}

/** Told at once what waiting would end in. */
export function waitTooLong(deployment: string, retryAfter: number): ApiError {
  const message = `The wait for ${deployment} would be longer than requests may wait here.`;
  return new ApiError({ status: 503, type: 'server_error', code: 'wait_too_long', message, retryAfter });
}

/** Of a deployment or of a route. */
export function noInstance(
  { name, stoppedByHand = false }: { readonly name: string; readonly stoppedByHand?: boolean },
  retryAfter: number,
): ApiError {
  if (stoppedByHand) return stopped(name);
  const message = `No instance of ${name} can be reached now.`;
  return new ApiError({
    status: 503,
    type: 'server_error',
    code: 'no_healthy_instance',
    message,
    retryAfter,
  });
}

/** No Retry-After: it comes when somebody starts it, and by no request. */
function stopped(deployment: string): ApiError {
  return new ApiError({
    status: 503,
    type: 'server_error',
    code: 'deployment_stopped',
    message: `${deployment} was stopped by hand. Whoever runs this gateway can start it: "berth start ${deployment}".`,
    headers: ['x-should-retry', 'false'],
  });
}

/** A model on demand that takes longer to load than this request could wait. */
export function modelLoading(
  deployment: string,
  { fetching, retryAfter }: { readonly fetching: boolean; readonly retryAfter: number },
): ApiError {
  const message = `${deployment} is still being ${fetching ? 'fetched' : 'loaded'}. Try again later.`;
  return new ApiError({ status: 503, type: 'server_error', code: 'model_loading', message, retryAfter });
}

export function loadFailed(deployment: string, reason: string, retryAfter: number): ApiError {
  const message = `${deployment} could not be loaded: ${reason} It is tried again in ${retryAfter} s.`;
  return new ApiError({ status: 503, type: 'server_error', code: 'model_load_failed', message, retryAfter });
}

/** No Retry-After: waiting changes nothing. */
export function modelTooLarge(deployment: string, need: MemoryNeed | null, room: MemoryRoom): ApiError {
  const pools = [
    ['memory', need?.host ?? 0, room.host],
    ['memory of GPUs', need?.gpu ?? 0, room.gpu],
  ] as const;
  const short = pools.flatMap(([what, wanted, there]) =>
    there !== null && wanted > there
      ? [`${formatBytes(wanted)} of ${what}, and there is ${formatBytes(there)}`]
      : [],
  );
  const message = `${deployment} does not fit: it needs ${short.join('; ')} for models on demand.`;
  return new ApiError({ status: 503, type: 'server_error', code: 'model_too_large', message });
}

export function draining(): ApiError {
  return closing('This gateway is shutting down.');
}

/** A reload took the address out of the config that the request came by, and its time there is up. */
function addressClosed(): ApiError {
  return closing('This gateway no longer listens at the address that the request came by.');
}

function closing(message: string): ApiError {
  return new ApiError({
    status: 503,
    type: 'server_error',
    code: 'draining',
    message,
    retryAfter: aWhile(),
  });
}

/** The client's own key never reaches an engine: that this one was refused is nothing that it could mend. */
export function upstreamKeyRefused(status: number): ApiFault {
  const message = `The engine refused the key of this gateway (${status}). Whoever runs it has to name the right one.`;
  return { status: 502, type: 'server_error', code: 'upstream_key_refused', message };
}

export function upstreamFailed(kind: FailureKind, message: string): ApiFault {
  if (kind === 'connect-timeout' || kind === 'first-byte-timeout' || kind === 'idle-timeout')
    return { status: 504, type: 'server_error', code: 'upstream_timeout', message };
  return { status: 502, type: 'server_error', code: 'upstream_failed', message };
}

/** A client may choose it as long as it likes. */
function shownName(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}…` : name;
}
