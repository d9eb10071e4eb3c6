import type { Quotas } from '../../domain/gateway-config.ts';
import type { Files } from '../../io/files.ts';
import type { Log } from '../../io/log.ts';
import { hostName } from '../../io/machine.ts';
import { openRedis } from '../../io/redis.ts';
import type { RedisLink } from '../../io/redis.ts';
import { addToShared } from '../../io/tally/tally-redis.ts';
import type { Sweep } from '../../io/upstream-pool/sweep.ts';
import { openUsageStore } from '../../io/usage-store.ts';
import type { TellShared } from '../experiments/trials.ts';
import { createLimitsMemory } from './memory.ts';
import type { LimitsMemory } from './memory.ts';
import { createSharedBook } from './shared-book.ts';
import type { SharedBook } from './shared-book.ts';
import { createSharedClaims } from './shared-claims.ts';
import type { SharedClaims } from './shared-claims.ts';
import { createSharedCrowds } from './shared-crowds.ts';
import type { SharedCrowds } from './shared-crowds.ts';
import { createSharedWishes, gatewayName } from './shared-wishes.ts';
import type { SharedWishes } from './shared-wishes.ts';
import { createSharedHolders } from '../stored/shared-holders.ts';
import type { SharedHolders } from '../stored/shared-holders.ts';
import { createUsageLedger, recallSpending, spentIn } from './usage-ledger.ts';
import type { Spent, UsageLedger } from './usage-ledger.ts';

/** What limits are counted in. It outlives a reload; file and store are opened anew only when others are named. */
export interface LimitsState {
  readonly memory: LimitsMemory;
  readonly usage: {
    readonly file: string;
    readonly ledger: UsageLedger;
    /** As the file told when it was opened. */
    readonly spent: Spent;
    /** As it tells now, of the day and the month of that time; null when it cannot be read. */
    readonly spentAt: (wallMs: number) => Spent | null;
    readonly close: () => void;
  } | null;
  readonly shared: SharedLink | null;
}

export interface SharedLink {
  readonly url: string;
  readonly book: SharedBook;
  readonly crowds: SharedCrowds;
  readonly claims: SharedClaims;
  /** Where stored responses lie. */
  readonly holders: SharedHolders;
  /** What gateways ask each other to do. */
  readonly wishes: SharedWishes;
  /** Adds to what experiments count. */
  readonly tell: TellShared;
  readonly up: () => boolean;
  /** Decisions made without the shared store so far. */
  readonly fallbacks: () => number;
  /** Resolves once what is owed to the store is told, or that takes too long. */
  readonly close: () => Promise<void>;
}

interface Context {
  readonly files: Files;
  readonly log: Log;
  readonly sweep: Sweep;
  readonly wallMs: () => number;
}

/**
 * What `config` names, taken over from `previous` where that had it open already. Changes nothing there: `putInForce` does, or
 * `closeReplaced` of what was opened in vain. Never rejects for a file or a store that fails: limits are then counted without it,
 * and the log says so.
 */
export async function openLimitsState(
  config: { readonly fleet: string; readonly quotas?: Quotas | undefined },
  previous: LimitsState | null,
  context: Context,
): Promise<LimitsState> {
  const memory = previous?.memory ?? createLimitsMemory();
  const { usageFile = null, sharedUrlFile = null } = config.quotas ?? {};
  const keepsFile = previous?.usage?.file === usageFile;
  const url = sharedUrlFile === null ? null : ((await context.files.read(sharedUrlFile))?.trim() ?? null);
  const keepsLink = previous?.shared?.url === url;
  const shared = keepsLink ? previous.shared : await openShared(config.fleet, url, memory, context);
  const wallMs = limitsTime({ shared }, context.wallMs());
  const usage = keepsFile ? previous.usage : await openUsage(usageFile, wallMs, context);
  return { memory, usage, shared };
}

/** The time by which limits are counted, in milliseconds since 1970: with a shared store its own. */
export function limitsTime({ shared }: Pick<LimitsState, 'shared'>, wallMs: number): number {
  return shared ? shared.book.clock.at(wallMs) : wallMs;
}

/** Spending is written to its file from now on, and what it does not take over is closed. `wallMs`: by the gateway's own clock. */
export function putInForce(state: LimitsState, previous: LimitsState | null, wallMs: number): void {
  const { usage, memory } = state;
  if (usage && usage !== previous?.usage) recallSpending(usage.spent, memory.book, limitsTime(state, wallMs));
  memory.ledger = usage?.ledger ?? null;
  // On a first start the store has not told its day yet when the file is read.
  state.shared?.book.clock.heed((ownMs) => {
    const now = limitsTime(state, ownMs);
    const spent = usage?.spentAt(now);
    if (spent) recallSpending(spent, memory.book, now);
  });
  if (previous) closeReplaced(previous, state);
}

/** Closes what the other one does not go on with. */
export function closeReplaced(state: LimitsState, by: LimitsState | null): void {
  void closeLimitsState({
    usage: state.usage === by?.usage ? null : state.usage,
    shared: state.shared === by?.shared ? null : state.shared,
  });
}

/** Resolves once the shared store has been told all: a process that ends waits for it. */
export async function closeLimitsState({
  usage,
  shared,
}: Pick<LimitsState, 'usage' | 'shared'>): Promise<void> {
  usage?.close();
  await shared?.close();
}

async function openUsage(
  file: string | null,
  wallMs: number,
  context: Context,
): Promise<LimitsState['usage']> {
  if (file === null) return null;
  try {
    const store = await openUsageStore(file);
    const ledger = createUsageLedger(store, context);
    const stop = context.sweep.each(ledger.tick);
    return {
      file,
      ledger,
      spent: spentIn(store, wallMs),
      spentAt: (ms) => {
        try {
          return spentIn(store, ms);
        } catch (error) {
          context.log.warn('What was spent before cannot be read anew.', { file, reason: String(error) });
          return null;
        }
      },
      close: () => {
        stop();
        ledger.close();
      },
    };
  } catch (error) {
    context.log.error('Budgets are not kept: the file of usage cannot be used.', {
      file,
      reason: String(error),
    });
    return null;
  }
}

async function openShared(
  fleet: string,
  url: string | null,
  memory: LimitsMemory,
  context: Context,
): Promise<SharedLink | null> {
  if (!url) return null;
  let up: boolean | null = null;
  let fallbacks = 0;
  function told(state: { up: boolean; reason: string }): void {
    if (state.up === up) return;
    if (state.up) context.log.info('Limits are counted together with other gateways.');
    else
      context.log.warn('Limits are counted here alone: the shared store cannot be reached.', {
        reason: state.reason,
      });
    ({ up } = state);
  }
  let link: RedisLink;
  try {
    link = await openRedis(url, told);
  } catch (error) {
    told({ up: false, reason: String(error) });
    return null;
  }
  function onFallback(): void {
    fallbacks += 1;
  }
  const gateway = gatewayName(hostName());
  const claims = createSharedClaims(fleet, gateway, link.run, onFallback);
  const wishes = createSharedWishes(fleet, gateway, link.run, onFallback);
  const crowds = createSharedCrowds(memory, claims);
  const book = createSharedBook(fleet, link.run, onFallback);
  const stop = context.sweep.each((now) => {
    crowds.tick(now);
    book.tick(now);
    book.clock.tick(now, context.wallMs);
  });
  return {
    url,
    book,
    crowds,
    claims,
    holders: createSharedHolders(fleet, link.run, onFallback),
    wishes,
    tell: (batch) => addToShared(link.run, fleet, batch),
    up: () => up === true,
    fallbacks: () => fallbacks,
    close: () => {
      stop();
      book.tellOwed();
      crowds.close();
      wishes.leave();
      return link.close();
    },
  };
}
