import { orNull, whoAndUntil } from './store-script.ts';
import type { RunScript } from './store-script.ts';

/** How much of one bound on things at once a gateway wants to have. All figures are its own, whole and as they are now. */
export interface Claim {
  /** The same in every gateway of a fleet. */
  readonly id: string;
  /** It would have that much. */
  readonly ask: number;
  /** It has work for that much. */
  readonly need: number;
  /** In use, so that it cannot be without it. */
  readonly least: number;
  /** What all gateways may have together. */
  readonly limit: number;
}

export interface Granted {
  readonly granted: number;
  /** What other gateways have work for and were not granted. */
  readonly hungry: number;
  /** What other gateways have in use, about: of what they have, what they have work for. */
  readonly busy: number;
  /** Gateways that claim of it, this one among them. */
  readonly gateways: number;
}

/**
 * What gateways have of bounds on things at once. Each claim says the whole of what a gateway has, not a difference, and
 * ends by itself a while after it was made last: a gateway that crashed, and an answer that was lost, leave nothing behind.
 */
export interface SharedClaims {
  /** Answers in the order of the claims; null when the store cannot be reached. */
  readonly claim: (claims: readonly Claim[]) => Promise<readonly Granted[] | null>;
}

/** A claim that was not made again for so long is over. */
export const claimMs = 10_000;
/** A gateway makes its claims again so often, if nothing else happens. */
export const renewMs = 2_500;

/*
 * A hash a bound: by gateway what it has, what it has work for, and when that ends by the store's own clock. Arguments:
 * the gateway, how long claims hold, then four a bound. Who claims nothing and has no work for any is left out with `ask` -1.
 */
const claimScript = `${whoAndUntil}
local answer = {}
for i = 1, #KEYS do
  local a = i * 4
  local ask, need, least, limit = tonumber(ARGV[a - 1]), tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local others, hungry, busy, gateways = 0, 0, 0, 1
  local all = redis.call('HGETALL', KEYS[i])
  for j = 1, #all, 2 do
    if all[j] ~= me then
      local has, wants, ends = string.match(all[j + 1], '^(%d+) (%d+) (%d+)$')
      if not ends or tonumber(ends) <= now then redis.call('HDEL', KEYS[i], all[j])
      else
        others = others + tonumber(has)
        hungry = hungry + math.max(0, tonumber(wants) - tonumber(has))
        busy = busy + math.min(tonumber(wants), tonumber(has))
        gateways = gateways + 1
      end
    end
  end
  local granted = math.max(least, math.min(ask, limit - others), 0)
  if ask < 0 then redis.call('HDEL', KEYS[i], me)
  else
    redis.call('HSET', KEYS[i], me, string.format('%d %d %d', granted, need, now + keep))
    redis.call('PEXPIRE', KEYS[i], keep)
  end
  answer[4 * i - 3], answer[4 * i - 2], answer[4 * i - 1], answer[4 * i] = granted, hungry, busy, gateways
end
return answer`;

/** `gateway`: unique over all gateways of the fleet, and never used again. */
export function createSharedClaims(
  fleet: string,
  gateway: string,
  run: RunScript,
  onFallback: (error: unknown) => void,
): SharedClaims {
  return {
    claim: (claims) => {
      // The braces keep all that a fleet has on one node of a cluster.
      const keys = claims.map(({ id }) => `berth:{${fleet}}:at-once:${id}`);
      const figures = claims.flatMap(({ ask, need, least, limit }) => [ask, need, least, limit]);
      const args = [gateway, ...[claimMs, ...figures].map(String)];
      return orNull(run(claimScript, keys, args).then(grantedOf), onFallback);
    },
  };
}

function grantedOf(answer: unknown): Granted[] {
  const figures = (answer as unknown[]).map(Number);
  return Array.from({ length: figures.length / 4 }, (_, i) => ({
    granted: Number(figures[4 * i]),
    hungry: Number(figures[4 * i + 1]),
    busy: Number(figures[4 * i + 2]),
    gateways: Number(figures[4 * i + 3]),
  }));
}
