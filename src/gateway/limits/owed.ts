import { randomUUID } from 'node:crypto';
import type { RedisLink } from '../../io/redis.ts';

/** What the shared store could not be told, until it can. Kept in memory: what a gateway owes is lost with it. */
export interface Owed {
  readonly add: (key: string, amount: number, keepSeconds: number) => void;
  /** Tells it all, once the store takes it; does nothing while an earlier try is under way, and never rejects. */
  readonly tell: () => Promise<void>;
}

interface Sum {
  amount: number;
  readonly keepSeconds: number;
}

/*
 * The first key names the batch, so that one that was told and not answered in time is not counted again. Then one key a sum
 * with two arguments: what to add, seconds to keep. No count falls below nothing.
 */
const tellScript = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', 86400) then return 0 end
for i = 2, #KEYS do
  local a = 2 * (i - 2) + 1
  if tonumber(redis.call('INCRBYFLOAT', KEYS[i], ARGV[a])) < 0 then redis.call('SET', KEYS[i], '0') end
  redis.call('EXPIRE', KEYS[i], ARGV[a + 1])
end
return 1`;

/** `nameOf`: a key of the store for a batch of that id. */
export function createOwed(run: RedisLink['run'], nameOf: (id: string) => string): Owed {
  const gathered = new Map<string, Sum>();
  /** Stays as it is until the store has answered, whatever is gathered in the meantime. */
  let batch: { readonly name: string; readonly sums: readonly (readonly [string, Sum])[] } | null = null;
  let telling = false;
  return {
    add: (key, amount, keepSeconds) => {
      const sum = gathered.get(key) ?? { amount: 0, keepSeconds };
      sum.amount += amount;
      gathered.set(key, sum);
    },
    tell: async () => {
      if (telling) return;
      if (!batch && gathered.size > 0) {
        batch = { name: nameOf(randomUUID()), sums: [...gathered] };
        gathered.clear();
      }
      if (!batch) return;
      telling = true;
      const { name, sums } = batch;
      try {
        const args = sums.flatMap(([, { amount, keepSeconds }]) => [String(amount), String(keepSeconds)]);
        await run(tellScript, [name, ...sums.map(([key]) => key)], args);
        batch = null;
      } catch {
        // The next try tells the same.
      } finally {
        telling = false;
      }
    },
  };
}
