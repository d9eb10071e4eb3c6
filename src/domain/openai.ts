/** The kinds of error that OpenAI's API names; clients choose their exception by status, people read the type. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

/** One refusal or failure as an OpenAI-compatible server tells it. */
export interface ApiFault {
  readonly status: number;
  readonly type: ApiErrorType;
  /** A stable word for programs ("model_not_found"); null when there is none. */
  readonly code: string | null;
  readonly message: string;
  /** The field of the request that is at fault. */
  readonly param?: string | null;
  /** Whole seconds after which trying again makes sense; sent as Retry-After. */
  readonly retryAfter?: number;
  /** More headers of the reply, name and value in turn. */
  readonly headers?: readonly string[];
  /** Whose limit it was and which, for the metrics. */
  readonly limit?: { readonly scope: string; readonly reason: string };
}

/** The body of an error reply: `{"error":{"message","type","param","code"}}`. */
export interface ErrorEnvelope {
  readonly error: {
    readonly message: string;
    readonly type: ApiErrorType;
    readonly param: string | null;
    readonly code: string | null;
  };
}

export function errorEnvelope(fault: ApiFault): ErrorEnvelope {
  return {
    error: {
      message: fault.message,
      type: fault.type,
      param: fault.param ?? null,
      code: fault.code,
    },
  };
}

/** The same error inside a stream that has begun: one event, after which the stream ends without [DONE]. */
export function errorEvent(fault: ApiFault): string {
  return `data: ${JSON.stringify(errorEnvelope(fault))}\n\n`;
}

/** Thrown where a request cannot go on; whoever holds the reply sends the fault. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly fault: ApiFault;

  constructor(fault: ApiFault, options?: { cause?: unknown }) {
    super(fault.message, options);
    this.fault = fault;
  }
}
