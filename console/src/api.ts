import { currentToken } from './session.ts';

/** A refusal of the control server or the gateway, in words for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly cure: string | null;
  readonly status: number;

  constructor(status: number, fault: { code: string; message: string; cure: string | null }) {
    super(fault.message);
    this.status = status;
    this.code = fault.code;
    this.cure = fault.cure;
  }
}

interface Ask {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Any status but 2xx rejects with an ApiError; a server that does not answer does too. */
export async function ask(path: string, options: Ask = {}): Promise<Response> {
  const { method = 'GET', body, signal } = options;
  const headers = new Headers({ authorization: `Bearer ${currentToken() ?? ''}` });
  if (body !== undefined) headers.set('content-type', 'application/json');
  const response = await fetch(`/api${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw unreachable();
  });
  if (!response.ok) throw errorOf(response.status, await response.text());
  return response;
}

export async function askJson<Value>(path: string, options: Ask = {}): Promise<Value> {
  return (await ask(path, options)).json() as Promise<Value>;
}

/** Reads both shapes: ours ({code, message, cure}) and OpenAI's ({code, message, type}). */
export function errorOf(status: number, text: string): ApiError {
  const fault = { code: `HTTP_${status}`, message: `The server answered with status ${status}.`, cure: null };
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown; cure?: unknown } };
    return new ApiError(status, {
      code: typeof error?.code === 'string' ? error.code : fault.code,
      message: typeof error?.message === 'string' ? error.message : fault.message,
      cure: typeof error?.cure === 'string' ? error.cure : null,
    });
  } catch {
    return new ApiError(status, fault);
  }
}

function unreachable(): ApiError {
  return new ApiError(0, {
    code: 'UNREACHABLE',
    message: 'The control server does not answer.',
    cure: 'Check that "berth up" still runs.',
  });
}
