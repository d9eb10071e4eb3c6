import type { RunSpec } from '../../domain/run/spec.ts';

/** The end of a stage: from `begin` on, what is in flight has `drainSeconds` to finish. */
export interface Drain extends Disposable {
  /** Aborts when the time for draining is over. */
  readonly signal: AbortSignal;
  /** Aborts when it begins: nothing more is admitted. */
  readonly begun: AbortSignal;
  /** The measured phase has begun: at the limit in seconds the drain begins by itself, though no stream may be free. */
  readonly startLimit: () => void;
  readonly begin: () => void;
}

export function createDrain(spec: RunSpec, onBegin: () => void): Drain {
  const cut = new AbortController();
  const begun = new AbortController();
  let limit: NodeJS.Timeout | undefined;
  let end: NodeJS.Timeout | undefined;
  function begin(): void {
    if (end !== undefined) return;
    onBegin();
    begun.abort();
    end = setTimeout(() => cut.abort(), spec.drainSeconds * 1000);
  }
  return {
    signal: cut.signal,
    begun: begun.signal,
    startLimit: () => {
      const { seconds } = spec.limits;
      if (seconds !== null) limit ??= setTimeout(begin, seconds * 1000);
    },
    begin,
    [Symbol.dispose]: () => {
      clearTimeout(limit);
      clearTimeout(end);
    },
  };
}
