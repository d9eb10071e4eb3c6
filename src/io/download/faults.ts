import type http from 'node:http';
import { BerthError } from '../../domain/errors/berth-error.ts';

/** The server will not give the file: asking again helps no one. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly said: string;

  constructor(status: number, headers: http.IncomingHttpHeaders, said: string) {
    super(`it answers ${status}${said === '' ? '' : `: ${said}`}`);
    this.status = status;
    this.headers = headers;
    this.said = said;
  }
}

/** Another file lies there than before. */
export class Changed extends Error {
  override readonly name = 'Changed';
}

/** The server sends another range than it was asked for, or all. */
export class RangeLie extends Error {
  override readonly name = 'RangeLie';
  /** No further try would have another answer. */
  readonly always: boolean;

  constructor(message: string, always = false) {
    super(message);
    this.always = always;
  }
}

/** Nothing can be written: the disk is full, or a quota is. */
export class NoRoom extends Error {
  override readonly name = 'NoRoom';
}

/** The place that it is written to takes no more of it, for a reason that no other server would change. */
export class Unwritten extends Error {
  override readonly name = 'Unwritten';
}

/** What can go well when it is tried again, and did not, often enough. */
export class GaveUp extends Error {
  override readonly name = 'GaveUp';
}

/** Faults that no further attempt for the same bytes can mend. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof BerthError ||
    error instanceof Refused ||
    error instanceof Changed ||
    error instanceof RangeLie ||
    error instanceof NoRoom ||
    error instanceof Unwritten ||
    error instanceof GaveUp
  );
}

/** Of a write that failed: the fault of this machine, which a server is neither blamed for nor asked again for. */
export function asWriteFault(error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new NoRoom('the disk is full', { cause: error })
    : new Unwritten(message, { cause: error });
}

/** Runs what writes; what it rejects with is the fault of this machine. */
export async function writing<Value>(write: () => Promise<Value>): Promise<Value> {
  try {
    return await write();
  } catch (error) {
    throw asWriteFault(error);
  }
}
