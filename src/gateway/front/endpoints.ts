import { endpoints } from '../../domain/endpoints.ts';
import type { Dialect, Endpoint } from '../../domain/endpoints.ts';
import { ApiError } from '../../domain/openai.ts';
import type { Inbound } from '../../io/http-server/types.ts';
import { withoutQuery } from '../upstream/upstream-path.ts';

export const endpointAt: ReadonlyMap<string, Endpoint> = new Map(
  endpoints.map((endpoint) => [endpoint.path, endpoint]),
);

/** What the gateway answers itself, all by GET. */
export const ownPaths = ['/v1/models', '/metrics', '/healthz', '/health', '/readyz'] as const;

/** Where models are looked after, and their engines reached. */
const modelPaths = [
  'GET /v1/models/MODEL',
  'GET /running',
  'POST /unload',
  'POST /unload/MODEL',
  'GET /logs/MODEL',
  'GET /logs/stream/MODEL',
  '/upstream/MODEL/PATH',
];

/** Known to clients of such servers and not served, with the reason; a trailing slash stands for everything below. */
const refusedPaths: readonly (readonly [path: string, why: string])[] = [
  ['/v1/realtime', 'Realtime sessions run over WebSockets, which are not served here.'],
  ['/v1/messages/batches', batches()],
  ['/v1/batches', batches()],
  ['/v1/files', 'No files are kept here.'],
  ['/v1/fine_tuning/', 'No models are trained here.'],
  ['/v1/vector_stores', 'No vectors are kept here.'],
  ['/v1/assistants', 'No assistants are kept here.'],
  ['/v1/threads', 'No conversations are kept here.'],
  ['/v1/conversations', 'No conversations are kept here.'],
  ['/v1/images/', 'Of images only generations and edits are forwarded.'],
  ['/v1/audio/', 'Of audio only transcriptions, translations and speech are forwarded.'],
];

function batches(): string {
  return 'No batches are kept here: send the requests one by one.';
}

/** The refusal for a path that nothing answers: 501 with the reason when clients know it from elsewhere, else 404. */
export function pathFault(path: string): ApiError {
  const refused = refusedPaths.find(([known]) => isAtOrBelow(path, known));
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  const type = 'invalid_request_error';
  if (refused)
    return new ApiError({
      status: 501,
      type,
      code: 'endpoint_not_implemented',
      message: `This gateway does not serve ${shown}. ${refused[1]}`,
      headers: notAgain,
    });
  const message = `There is no ${shown}. ${hint(path)}`;
  return new ApiError({ status: 404, type, code: 'path_unknown', message });
}

/** What a client with a wrong base URL meant; else all that is here. */
function hint(path: string): string {
  // A base URL that ends in a slash gives two.
  const bare = path
    .replace(/\/{2,}/g, '/')
    .replace(/^(?:\/v1)+(?=\/)/, '')
    .replace(/\/$/, '');
  const meant = [`/v1${bare}`, bare].find((known) => endpointAt.has(known) || known === '/v1/models');
  if (meant !== undefined) return `Is ${meant} meant? Check the base URL of the client.`;
  const there = [...endpointAt.keys()].map((known) => `POST ${known}`);
  const own = ownPaths.map((known) => `GET ${known}`);
  return `Here are: ${[...there, ...own, ...modelPaths].join(', ')}.`;
}

function isAtOrBelow(path: string, known: string): boolean {
  if (known.endsWith('/')) return path.startsWith(known);
  return path === known || path.startsWith(`${known}/`);
}

/** The model is there and its engine has no such endpoint. `certain` are deployments whose engines have, `possible` those whose engines tell nothing. */
export function endpointMissing(
  model: string,
  path: string,
  { certain, possible }: { readonly certain: readonly string[]; readonly possible: readonly string[] },
): ApiError {
  const cures = [
    ...(certain.length > 0 ? [`Deployments that have it: ${certain.join(', ')}.`] : []),
    ...(possible.length > 0
      ? [`Deployments that may have it, as their engines do not tell: ${possible.join(', ')}.`]
      : []),
  ];
  const cure = cures.length > 0 ? cures.join(' ') : 'No deployment here has it.';
  return new ApiError({
    status: 501,
    type: 'invalid_request_error',
    code: 'endpoint_not_supported',
    message: `The engine behind "${model}" has no ${path}. ${cure}`,
    headers: notAgain,
  });
}

/** Clients of OpenAI's and Anthropic's making try a 5xx again unless told not to. */
const notAgain = ['x-should-retry', 'false'];

export function methodFault(method: string, path: string, allowed: string): ApiError {
  return new ApiError({
    status: 405,
    type: 'invalid_request_error',
    code: 'method_not_allowed',
    message: `${path} answers ${allowed}, not ${method}.`,
    headers: ['Allow', allowed],
  });
}

/** Whose errors the client reads: by the endpoint, elsewhere by the header that all of Anthropic's clients send. */
export function dialectOf(inbound: Inbound): Dialect {
  const path = withoutQuery(inbound.url);
  const endpoint = endpointAt.get(path);
  if (endpoint) return endpoint.dialect;
  const anthropic = isAtOrBelow(path, '/v1/messages') || inbound.header('anthropic-version') !== undefined;
  return anthropic ? 'anthropic' : 'openai';
}
