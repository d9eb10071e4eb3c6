import type { FailureKind } from '../../io/upstream-pool/types.ts';
import type { Verdict } from '../routing/deployment.ts';

/** What a failed exchange says of its engine: one that no connection was made to has begun nothing. */
export function verdictOfFailure(kind: FailureKind): Verdict {
  const noConnection = kind === 'refused' || kind === 'untrusted' || kind === 'connect-timeout';
  return noConnection ? 'connect-failed' : 'broke';
}
