import { ApiError } from '../domain/openai.ts';

/** An endpoint whose requests name a model and go to an engine. */
export interface Endpoint {
  readonly path: string;
  /** gen_ai.operation.name */
  readonly operation: string;
  /** The engine understands stream_options.include_usage here. */
  readonly usageInStream: boolean;
}

export const modelEndpoints: readonly Endpoint[] = [
  { path: '/v1/chat/completions', operation: 'chat', usageInStream: true },
  { path: '/v1/completions', operation: 'text_completion', usageInStream: true },
  { path: '/v1/embeddings', operation: 'embeddings', usageInStream: false },
];

/** What the gateway answers itself, all by GET. */
export const ownPaths = ['/v1/models', '/metrics', '/healthz', '/readyz'] as const;

/** Known to clients of OpenAI-compatible servers, and not built yet; a trailing slash stands for everything below. */
const laterPaths = [
  '/v1/responses',
  '/v1/responses/',
  '/v1/messages',
  '/v1/messages/',
  '/v1/rerank',
  '/v1/reranking',
  '/v2/rerank',
  '/rerank',
  '/v1/score',
  '/score',
  '/v1/tokenize',
  '/v1/detokenize',
  '/tokenize',
  '/detokenize',
  '/infill',
  '/v1/audio/',
  '/v1/images/',
  '/v1/moderations',
  '/v1/files',
  '/v1/files/',
  '/v1/batches',
  '/v1/batches/',
  '/v1/realtime',
  '/v1/realtime/',
  '/v1/fine_tuning/',
  '/v1/vector_stores',
  '/v1/vector_stores/',
  '/v1/assistants',
  '/v1/threads',
  '/v1/conversations',
  '/v1/conversations/',
];

const here = [
  ...modelEndpoints.map((endpoint) => `POST ${endpoint.path}`),
  ...ownPaths.map((path) => `GET ${path}`),
];

/** The refusal for a path that nothing answers: 501 when it is planned, else 404; both say what is there. */
export function pathFault(path: string): ApiError {
  const later = laterPaths.some((known) => (known.endsWith('/') ? path.startsWith(known) : path === known));
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  const there = `Here are: ${here.join(', ')}.`;
  const type = 'invalid_request_error';
  if (later)
    return new ApiError({
      status: 501,
      type,
      code: 'endpoint_not_implemented',
      message: `This gateway does not answer ${shown} yet. ${there}`,
      // Clients of OpenAI's making try a 5xx again unless told not to.
      headers: ['x-should-retry', 'false'],
    });
  return new ApiError({ status: 404, type, code: 'path_unknown', message: `There is no ${shown}. ${there}` });
}

export function methodFault(method: string, path: string, allowed: string): ApiError {
  return new ApiError({
    status: 405,
    type: 'invalid_request_error',
    code: 'method_not_allowed',
    message: `${path} answers ${allowed}, not ${method}.`,
    headers: ['Allow', allowed],
  });
}
