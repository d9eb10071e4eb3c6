import type { Log } from '../../io/log.ts';
import type { UsageRow, UsageStore } from '../../io/usage-store.ts';
import { boundId } from './bounds.ts';
import type { Book } from './book.ts';
import type { Ledger } from './hold.ts';
import { slotOf } from './window.ts';
import type { WindowKind } from './window.ts';

/** What was used, gathered here and written each second: a crash loses a second, and the requests that were under way. */
export interface UsageLedger extends Ledger {
  /** Writes what has gathered for a second or longer; for a clock's tick. */
  readonly tick: (now: number) => void;
  readonly close: () => void;
}

const flushMs = 1000;

export function createUsageLedger(
  store: UsageStore,
  context: { readonly wallMs: () => number; readonly log: Log },
): UsageLedger {
  const gathered = new Map<string, UsageRow>();
  let flushedAt = -Infinity;
  let failing = false;

  function flush(): void {
    if (gathered.size === 0) return;
    try {
      store.add([...gathered.values()]);
      gathered.clear();
      failing = false;
    } catch (error) {
      // Kept for the next try; told once, since it comes back each second.
      if (!failing) context.log.error('Usage cannot be written.', { reason: String(error) });
      failing = true;
    }
  }
  return {
    add: ({ key, model }, { input, output, usd }) => {
      const day = dayOf(context.wallMs());
      const id = `${day}\n${key}\n${model}`;
      const before = gathered.get(id) ?? { day, key, model, requests: 0, input: 0, output: 0, usd: 0 };
      gathered.set(id, {
        ...before,
        requests: before.requests + 1,
        input: before.input + input,
        output: before.output + output,
        usd: before.usd + usd,
      });
    },
    tick: (now) => {
      if (now - flushedAt < flushMs) return;
      flushedAt = now;
      flush();
    },
    close: () => {
      flush();
      store.close();
    },
  };
}

function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** Takes over what was spent of this month's and this day's budgets before this process began. */
export function recallSpending(store: UsageStore, book: Book, wallMs: number): void {
  const today = dayOf(wallMs);
  for (const row of store.since(`${today.slice(0, 7)}-01`)) {
    remember(book, row, 'month', wallMs);
    if (row.day === today) remember(book, row, 'day', wallMs);
  }
}

function remember(book: Book, row: UsageRow, window: WindowKind, wallMs: number): void {
  for (const [unit, amount] of [
    ['tokens', row.input + row.output],
    ['usd', row.usd],
  ] as const) {
    const id = boundId('key', row.key, unit, window);
    const count = book.get(id) ?? { slot: slotOf(window, wallMs), current: 0, previous: 0 };
    count.current += amount;
    book.set(id, count);
  }
}
