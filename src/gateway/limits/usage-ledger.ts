import type { Log } from '../../io/log.ts';
import type { UsageRow, UsageStore } from '../../io/usage-store.ts';
import { boundId } from './bounds.ts';
import type { Book } from './book.ts';
import type { Ledger } from './memory.ts';
import { emptyCount, roll, slotOf } from './window.ts';
import type { WindowKind } from './window.ts';

/** What was used, gathered here and written each second: a crash loses a second, and the requests that were under way. */
export interface UsageLedger extends Ledger {
  /** Writes what has gathered for a second or longer; for a clock's tick. */
  readonly tick: (now: number) => void;
  readonly close: () => void;
}

const flushMs = 1000;

export function createUsageLedger(store: UsageStore, context: { readonly log: Log }): UsageLedger {
  const gathered = createGathered();
  let flushedAt = -Infinity;
  let failing = false;

  function flush(): void {
    const rows = gathered.rows();
    if (rows.length === 0) return;
    try {
      store.add(rows);
      gathered.clear();
      failing = false;
    } catch (error) {
      // Kept for the next try; told once, since it comes back each second.
      if (!failing) context.log.error('Usage cannot be written.', { reason: String(error) });
      failing = true;
    }
  }
  return {
    add: ({ key, model }, { input, output, usd }, wallMs) => {
      const row = gathered.row(slotOf('day', wallMs), key, model);
      row.requests += 1;
      row.input += input;
      row.output += output;
      row.usd += usd;
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

/** Sums that are not written yet, by day, key and model. */
interface Gathered {
  /** `day`: days since 1970. */
  readonly row: (day: number, key: string, model: string) => Sum;
  readonly rows: () => Sum[];
  readonly clear: () => void;
}

type Sum = { -readonly [Field in keyof UsageRow]: UsageRow[Field] };

/** Maps in maps and no joined key: a string made for each request would have to be hashed for each request. */
function createGathered(): Gathered {
  const days = new Map<number, Map<string, Map<string, Sum>>>();
  function add(day: number, key: string, model: string): Sum {
    const made = { day: dayOf(day * dayMs), key, model, requests: 0, input: 0, output: 0, usd: 0 };
    const keys = days.get(day) ?? new Map<string, Map<string, Sum>>();
    const models = keys.get(key) ?? new Map<string, Sum>();
    days.set(day, keys.set(key, models.set(model, made)));
    return made;
  }
  return {
    row: (day, key, model) => days.get(day)?.get(key)?.get(model) ?? add(day, key, model),
    rows: () => [...days.values()].flatMap((keys) => [...keys.values()].flatMap((one) => [...one.values()])),
    clear: () => days.clear(),
  };
}

const dayMs = 86_400_000;

function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}

/** What stands in a file of this month's and this day's budgets, by the id of their bounds. */
export type Spent = ReadonlyMap<string, { readonly window: WindowKind; readonly amount: number }>;

export function spentIn(store: UsageStore, wallMs: number): Spent {
  const today = dayOf(wallMs);
  const spent = new Map<string, { window: WindowKind; amount: number }>();
  for (const row of store.since(`${today.slice(0, 7)}-01`)) {
    sumUp(spent, row, 'month');
    if (row.day === today) sumUp(spent, row, 'day');
  }
  return spent;
}

/**
 * Takes over what a file told. Some of it may have been counted here already, and what was counted here may stand in another file:
 * the larger of both counts.
 */
export function recallSpending(spent: Spent, book: Book, wallMs: number): void {
  for (const [id, { window, amount }] of spent) {
    const slot = slotOf(window, wallMs);
    const count = book.get(id) ?? emptyCount(slot);
    roll(count, slot);
    count.current = Math.max(count.current, amount);
    book.set(id, count);
  }
}

function sumUp(
  spent: Map<string, { window: WindowKind; amount: number }>,
  row: UsageRow,
  window: WindowKind,
): void {
  for (const [unit, amount] of [
    ['tokens', row.input + row.output],
    ['usd', row.usd],
  ] as const) {
    const id = boundId('key', row.key, unit, window);
    spent.set(id, { window, amount: amount + (spent.get(id)?.amount ?? 0) });
  }
}
