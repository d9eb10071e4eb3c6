import { chargeOf, needOf } from './bounds.ts';
import type { Amounts, Bound } from './bounds.ts';
import { differenceOf } from './book.ts';
import type { Charge } from './book.ts';
import { createOwed } from './owed.ts';
import { createStoreClock, tolerableMs } from './store-clock.ts';
import type { StoreClock } from './store-clock.ts';
import { storeNow } from './store-script.ts';
import type { RunScript } from './store-script.ts';
import { carryOf, slotOf } from './window.ts';
import type { Count, WindowKind } from './window.ts';

export interface SharedVerdict {
  /** Null: some bound refuses. */
  readonly charge: Charge | null;
  /** What all gateways have counted, in the order of the bounds; with this charge, if it was made. */
  readonly counts: readonly Count[];
  /** The time that it was counted at: another than it was asked for, where the store had to correct that. */
  readonly wallMs: number;
}

/**
 * The counts of several gateways together: bounds with a limit, and what was spent of budgets that are none yet. `wallMs` everywhere
 * is the time of its `clock`, so that days and months are the same for all.
 */
export interface SharedBook {
  readonly clock: StoreClock;
  /** Charges all bounds or none. Null when the store cannot be reached: then each gateway counts alone. */
  readonly take: (
    bounds: readonly Bound[],
    amounts: Amounts,
    wallMs: number,
  ) => Promise<SharedVerdict | null>;
  /** For what was admitted without the store: a charge of nothing, whose `settle` tells what was spent of budgets. */
  readonly owing: (bounds: readonly Bound[], wallMs: number) => Charge;
  /**
   * As `settle` of a book of one's own. What the store cannot be told of a minute is lost, and gone with it; of a budget it is
   * told later. A store that did take it and could not say so in time has it twice: rather too much than too little.
   */
  readonly settle: (charge: Charge, real: Amounts | null, wallMs: number) => void;
  /** What was spent where no budget is set, told by and by: one that is set later knows of it. */
  readonly note: (bounds: readonly Bound[], spent: Amounts, wallMs: number) => void;
  /** Tells what is owed, if anything is; to be called at every tick. */
  readonly tick: (now: number) => void;
  /** Tells it now. */
  readonly tellOwed: () => void;
}

/*
 * Tells its time alone where the first argument, the gateway's, is another: that would count in other slots.
 * Two keys a bound: its present slot and the one before. Then five arguments a bound: limit, need, charge, share of the slot
 * before that still counts, seconds to keep. Answers whether all fit, then the two counts of each bound.
 */
const takeScript = `${storeNow}
if math.abs(now - tonumber(ARGV[1])) > ${tolerableMs} then return {-1, string.format('%.0f', now)} end
local counts, fits = {}, 1
for i = 1, #KEYS, 2 do
  local a = (i - 1) / 2 * 5 + 1
  local current = tonumber(redis.call('GET', KEYS[i]) or '0')
  local previous = tonumber(redis.call('GET', KEYS[i + 1]) or '0')
  counts[i] = tostring(current)
  counts[i + 1] = tostring(previous)
  if current + previous * tonumber(ARGV[a + 4]) + tonumber(ARGV[a + 2]) > tonumber(ARGV[a + 1]) then fits = 0 end
end
if fits == 1 then
  for i = 1, #KEYS, 2 do
    local a = (i - 1) / 2 * 5 + 1
    counts[i] = redis.call('INCRBYFLOAT', KEYS[i], ARGV[a + 3])
    redis.call('EXPIRE', KEYS[i], ARGV[a + 5])
  end
end
return {fits, unpack(counts)}`;

/* One key a bound, and two arguments: what to add, seconds to keep. No count falls below nothing. */
const settleScript = `
for i = 1, #KEYS do
  if tonumber(redis.call('INCRBYFLOAT', KEYS[i], ARGV[2 * i - 1])) < 0 then redis.call('SET', KEYS[i], '0') end
  redis.call('EXPIRE', KEYS[i], ARGV[2 * i])
end
return 1`;

const tellMs = 1000;
const keepSeconds: Record<WindowKind, number> = { minute: 180, day: 2 * 86_400, month: 40 * 86_400 };

/** `fleet`: gateways of one fleet name count together. `onFallback` is told of each decision made without the store. */
export function createSharedBook(
  fleet: string,
  run: RunScript,
  onFallback: (error: unknown) => void,
): SharedBook {
  function keyOf(bound: Bound, slot: number): string {
    // The braces keep all counts of a fleet on one node of a cluster.
    return `berth:{${fleet}}:${bound.id}:${slot}`;
  }
  const owed = createOwed(run, (id) => `berth:{${fleet}}:told:${id}`);
  const clock = createStoreClock(run);
  let toldAt = -Infinity;

  return {
    clock,
    owing: owingOf,
    tick: (now) => {
      if (now - toldAt < tellMs) return;
      toldAt = now;
      void owed.tell();
    },
    tellOwed: () => void owed.tell(),
    note: (bounds, spent, wallMs) => {
      for (const bound of bounds.filter((one) => isUnset(one) && spent[one.unit] > 0))
        owed.add(keyOf(bound, slotOf(bound.window, wallMs)), spent[bound.unit], keepSeconds[bound.window]);
    },
    take: async (all, amounts, wallMs) => {
      const bounds = all.filter(({ limit }) => Number.isFinite(limit));
      if (bounds.length === 0) return { charge: { bounds, slots: [], amounts }, counts: [], wallMs };
      // Before anything is awaited: until the answer comes others may have corrected the clock.
      const ownMs = clock.own(wallMs);
      try {
        const first = await asked(run, keyOf, { bounds, amounts, wallMs });
        if (!('storeMs' in first)) return first;
        clock.correct(first.storeMs, ownMs);
        const second = await asked(run, keyOf, { bounds, amounts, wallMs: first.storeMs });
        if (!('storeMs' in second)) return second;
        throw new Error('The clock of the shared store jumps.');
      } catch (error) {
        onFallback(error);
        return null;
      }
    },
    settle: (charge, real, wallMs) => {
      const changes = changesOf(charge, real, wallMs);
      if (changes.length === 0) return;
      const keys = changes.map(({ bound, slot }) => keyOf(bound, slot));
      const args = changes.flatMap(({ bound, more }) => [String(more), String(keepSeconds[bound.window])]);
      run(settleScript, keys, args).catch((error: unknown) => {
        onFallback(error);
        for (const { bound, slot, more } of changes)
          if (bound.window !== 'minute') owed.add(keyOf(bound, slot), more, keepSeconds[bound.window]);
      });
    },
  };
}

/** What the store has decided, or the time that it has where that is another. */
async function asked(
  run: RunScript,
  keyOf: (bound: Bound, slot: number) => string,
  { bounds, amounts, wallMs }: { bounds: readonly Bound[]; amounts: Amounts; wallMs: number },
): Promise<SharedVerdict | { readonly storeMs: number }> {
  const slots = bounds.map(({ window }) => slotOf(window, wallMs));
  const keys = bounds.flatMap((bound, i) => {
    const slot = slots[i] as number;
    return [keyOf(bound, slot), keyOf(bound, slot - 1)];
  });
  const args = bounds.flatMap((bound) => [
    bound.limit,
    needOf(bound, amounts),
    chargeOf(bound, amounts),
    carryOf(bound.window, wallMs),
    keepSeconds[bound.window],
  ]);
  const answer = (await run(takeScript, keys, [wallMs, ...args].map(String))) as unknown[];
  const [fits, ...figures] = answer.map(Number);
  if (fits === -1) return { storeMs: Number(figures[0]) };
  const charge = fits === 1 ? { bounds, slots, amounts } : null;
  return { charge, counts: countsOf(slots, figures), wallMs };
}

/** Two figures a slot: what it has counted, and the one before. */
function countsOf(slots: readonly number[], figures: readonly number[]): Count[] {
  return slots.map((slot, i) => ({
    slot,
    current: figures[2 * i] ?? 0,
    previous: figures[2 * i + 1] ?? 0,
    left: null,
  }));
}

/** A budget that nobody has set. */
function isUnset({ limit, window }: Bound): boolean {
  return !Number.isFinite(limit) && window !== 'minute';
}

interface Change {
  readonly bound: Bound;
  readonly slot: number;
  readonly more: number;
}

/** What was charged too much goes back to its slot as long as that still counts, and what was charged too little counts from now on. */
function changesOf({ bounds, slots, amounts }: Charge, real: Amounts | null, wallMs: number): Change[] {
  return bounds.flatMap((bound, i) => {
    const more = differenceOf(bound, amounts, real);
    const now = slotOf(bound.window, wallMs);
    const slot = more > 0 ? now : (slots[i] as number);
    return more !== 0 && slot >= now - 1 ? [{ bound, slot, more }] : [];
  });
}

function owingOf(all: readonly Bound[], wallMs: number): Charge {
  const bounds = all.filter(({ limit, window }) => Number.isFinite(limit) && window !== 'minute');
  const slots = bounds.map(({ window }) => slotOf(window, wallMs));
  return { bounds, slots, amounts: { requests: 0, tokens: 0, usd: 0 } };
}
