import type { BodyRead } from '../../io/upstream-pool/types.ts';

/** What stands between a reply and its client and may change it. */
export interface Sieve {
  /** What to send instead of this read; "as-is" for all of it. */
  readonly push: (read: BodyRead) => readonly Buffer[] | 'as-is';
  /** What is still held back when the reply ends as it should. */
  readonly rest: () => Buffer;
  /** What has been passed on ends where an event ends. */
  readonly betweenEvents: boolean;
}
