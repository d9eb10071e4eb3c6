import { anthropicEnvelope } from '../domain/dialects.ts';
import type { Reply } from '../io/http-server/types.ts';

/** A refusal with its HTTP status, in the envelope that llama-server and OpenAI clients know. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly type: string;
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, type: string, message: string, extra: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.extra = extra;
  }

  body(): string {
    return JSON.stringify({
      error: { code: this.status, message: this.message, type: this.type, ...this.extra },
    });
  }
}

export function invalidRequest(message: string): Refusal {
  return new Refusal(400, 'invalid_request_error', message);
}

export function notSupported(what: string): Refusal {
  return new Refusal(501, 'not_supported_error', `The embedded engine does not support ${what}.`);
}

/** `anthropic`: in the shape of Anthropic's API. */
export function sendError(
  reply: Reply,
  error: Refusal,
  options: { headers?: readonly string[]; anthropic: boolean },
): void {
  const body = options.anthropic ? JSON.stringify(anthropicEnvelope(error)) : error.body();
  reply.head(error.status, [...jsonHead(body), ...(options.headers ?? [])]);
  reply.end(body);
}

export function sendJson(reply: Reply, value: unknown): void {
  const body = JSON.stringify(value);
  reply.head(200, jsonHead(body));
  reply.end(body);
}

function jsonHead(body: string): string[] {
  return [
    'Content-Type',
    'application/json; charset=utf-8',
    'Content-Length',
    String(Buffer.byteLength(body)),
  ];
}
