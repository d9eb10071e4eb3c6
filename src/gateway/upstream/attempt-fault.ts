import type { AttemptEnd } from './attempt.ts';

/** Null: it went well. Undefined: it says nothing of the engine. */
export function faultOf(end: AttemptEnd): string | null | undefined {
  switch (end.kind) {
    case 'done':
      return statusFault(end.status);
    case 'retry':
      return end.reason === '429' ? undefined : end.reason;
    case 'lost':
      return end.reason;
    case 'failed':
    case 'cut':
      return end.fault.code ?? end.fault.type;
    case 'gone':
      return undefined;
  }
}

/** What clients ask wrongly is refused by both alike; what one alone refuses is its doing. */
function statusFault(status: number): string | null | undefined {
  if (status === 429) return undefined;
  return status < 400 ? null : String(status);
}
