import type { ScannedServer } from '../../domain/scan-report.ts';

type Size = Record<string, unknown>;

/**
 * Slots and context as a server tells them, in the words of a fleet file: its own start, written from these, takes the same memory.
 * A llama-server whose slots share one cache tells the whole of it for each of them, and without a stated number of slots it has
 * several that do. Pure.
 */
export function toldSize({ engine, options, told }: ScannedServer): Size {
  const stated = {
    ...(told.slots === null ? {} : { slots: told.slots }),
    ...(told.context === null ? {} : { context: told.context }),
  };
  const { slots, context } = told;
  const count = slots ?? 1;
  if (engine !== 'llama.cpp' || context === null) return stated;
  if (count < 2 && options['kvUnified'] !== true) return stated;
  const total = totalOf(options);
  if (!isShared(options, { slots: count, context, total })) return stated;
  // What is told is cut at what the model was trained for; the cache is as large as was asked all the same.
  return { slots: count, context: Math.max(1, Math.floor((total ?? context) / count)), kvUnified: true };
}

/** Tokens of all slots, as the command line has them, of which each slot's share was read; null: the model's own. */
function totalOf({ context, slots }: ScannedServer['options']): number | null {
  if (typeof context !== 'number' || context < 1) return null;
  return isCount(slots) ? context * slots : context;
}

function isShared(
  options: ScannedServer['options'],
  { slots, context, total }: { slots: number; context: number; total: number | null },
): boolean {
  if (options['kvUnified'] === true) return true;
  const share = total === null ? null : padded(Math.floor(total / slots));
  if (share !== null && context > share) return true;
  return !isCount(options['slots']) && options['kvUnified'] !== false;
}

/** The server counts caches in steps of 256 tokens. */
function padded(tokens: number): number {
  return Math.ceil(tokens / 256) * 256;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 1;
}
