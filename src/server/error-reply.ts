import { BerthError } from '../domain/errors/berth-error.ts';
import type { ErrorCode } from '../domain/errors/table.ts';

const statuses: Partial<Record<ErrorCode, number>> = {
  CONTROL_TOKEN_REFUSED: 401,
  CONTROL_HOST_REFUSED: 403,
  CONTROL_ORIGIN_REFUSED: 403,
  CONTROL_NOT_FOUND: 404,
  CONTROL_BODY_REFUSED: 400,
  CONTROL_BODY_TOO_LARGE: 413,
  KEY_EXISTS: 409,
  KEY_EXPIRED: 409,
  KEY_IN_FILE: 409,
  KEY_UNKNOWN: 404,
  KEY_WISH_INVALID: 400,
  LOCKED: 409,
  RUN_UNREADABLE: 409,
  NOT_BUILT: 503,
  GATEWAY_ABSENT: 503,
  GATEWAY_UNREACHABLE: 502,
  GATEWAY_REFUSED: 502,
  REQUEST_UNKNOWN: 404,
  UP_NOT_FOLLOWING: 409,
};

export interface ErrorReply {
  readonly status: number;
  /** JSON: {error: {code, message, cure}}. Facts stay inside, and of a fault of ours only its message leaves. */
  readonly body: string;
}

export function errorReply(error: unknown): ErrorReply {
  const known: { code: ErrorCode; message: string; cure: string } =
    error instanceof BerthError
      ? (error as BerthError)
      : new BerthError('CONTROL_FAULT', { reason: error instanceof Error ? error.message : String(error) });
  const { code, message, cure } = known;
  return { status: statuses[code] ?? 500, body: JSON.stringify({ error: { code, message, cure } }) };
}
