import type { KeyUsage, KeyUse } from '../../domain/key-usage.ts';
import type { Caller } from '../front/caller.ts';

/** One request that has ended. */
export interface Used {
  readonly caller: Caller;
  /** "" when the request did not get as far as to name one. */
  readonly model: string;
  /** 499: the client left. */
  readonly status: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** Who used what, for the operator to see; budgets are counted elsewhere. It has as many entries as there are keys times models. */
export interface UsageCounts {
  readonly note: (used: Used) => void;
  readonly list: () => KeyUsage;
}

interface Count {
  readonly key: string;
  readonly name: string;
  readonly model: string;
  requests: number;
  errors: number;
  inputTokens: number;
  outputTokens: number;
  lastMs: number;
}

/** `wallMs`: milliseconds since 1970. */
export function createUsageCounts(wallMs: () => number): UsageCounts {
  const since = wallMs();
  const counts = new Map<string, Map<string, Count>>();
  function countOf({ id, name }: Caller, model: string): Count {
    let models = counts.get(id);
    if (!models) counts.set(id, (models = new Map()));
    let count = models.get(model);
    if (!count)
      models.set(
        model,
        (count = {
          key: id,
          name,
          model,
          requests: 0,
          errors: 0,
          inputTokens: 0,
          outputTokens: 0,
          lastMs: 0,
        }),
      );
    return count;
  }
  return {
    note: ({ caller, model, status, inputTokens, outputTokens }) => {
      const count = countOf(caller, model === '' ? '-' : model);
      count.requests += 1;
      if (status >= 400 && status !== 499) count.errors += 1;
      count.inputTokens += inputTokens;
      count.outputTokens += outputTokens;
      count.lastMs = wallMs();
    },
    list: () => ({
      since: new Date(since).toISOString(),
      uses: [...counts.values()]
        .flatMap((models) => [...models.values()])
        .toSorted((a, b) => b.lastMs - a.lastMs)
        .map(({ lastMs, ...count }): KeyUse => ({ ...count, lastAt: new Date(lastMs).toISOString() })),
    }),
  };
}
