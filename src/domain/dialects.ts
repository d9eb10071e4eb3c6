import type { Dialect } from './endpoints.ts';
import { errorEnvelope, errorEvent } from './openai.ts';
import type { ApiFault } from './openai.ts';

/** The body of an error reply, as JSON, in the shape that clients of this API read. */
export function errorBody(dialect: Dialect, fault: ApiFault, requestId: string): string {
  if (dialect !== 'anthropic') return JSON.stringify(errorEnvelope(fault));
  return JSON.stringify({ ...anthropicEnvelope(fault), request_id: requestId });
}

/** The same error inside a stream that has begun: its last event. */
export function streamError(dialect: Dialect, fault: ApiFault): string {
  switch (dialect) {
    case 'openai':
      return errorEvent(fault);
    case 'responses':
      return responsesError(errorEnvelope(fault).error);
    case 'anthropic':
      return event('error', anthropicEnvelope(fault));
  }
}

/** An error reply that is told within a stream, from its body and what that has under `error`. */
export function errorReplyEvent(dialect: Dialect, body: string, error: object): string {
  switch (dialect) {
    case 'openai':
      return `data: ${body}\n\n`;
    case 'responses':
      return responsesError(error);
    case 'anthropic':
      return `event: error\ndata: ${body}\n\n`;
  }
}

/** Both forms of the event are about: the fault in `error`, and the fault's fields beside `type`. */
function responsesError(error: object): string {
  const { code = null, message = '', param = null } = error as Record<string, unknown>;
  return event('error', { type: 'error', sequence_number: 0, code, message, param, error });
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** `{"type":"error","error":{"type","message"}}`: https://docs.anthropic.com/en/api/errors */
export function anthropicEnvelope({ status, message }: Pick<ApiFault, 'status' | 'message'>) {
  return { type: 'error', error: { type: anthropicType(status), message } };
}

/** Anthropic's word for a status; its clients choose their exception by the status, as OpenAI's do. */
function anthropicType(status: number): string {
  if (status < 500) return clientTypes[status] ?? 'invalid_request_error';
  return serverTypes[status] ?? 'api_error';
}

const clientTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};

const serverTypes: Readonly<Record<number, string>> = {
  503: 'overloaded_error',
  504: 'timeout_error',
};
