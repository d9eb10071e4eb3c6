import { z } from 'zod';
import { orNull } from '../limits/store-script.ts';
import type { RunScript } from '../limits/store-script.ts';

/** Where a stored response lies, for all gateways of a fleet: its engine by a name that all of them know it by. */
export const SharedHolder = z.strictObject({
  model: z.string(),
  deployment: z.string(),
  engine: z.string(),
  key: z.string(),
});
export type SharedHolder = z.infer<typeof SharedHolder>;

/** Neither rejects: without the store, each gateway knows of its own alone. */
export interface SharedHolders {
  /** Resolves with whose it is by then: somebody else's may have been there before. Null: not known. */
  readonly remember: (id: string, holder: SharedHolder) => Promise<SharedHolder | null>;
  readonly find: (id: string) => Promise<SharedHolder | null>;
}

/** What nobody asked for in so long is forgotten. */
const keepSeconds = 86_400;

/* Whose it is does not change. */
const rememberScript = `
if redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2], 'NX') then return ARGV[1] end
return redis.call('GET', KEYS[1])`;

const findScript = `
local found = redis.call('GET', KEYS[1])
if found then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return found`;

export function createSharedHolders(
  fleet: string,
  run: RunScript,
  onFallback: (error: unknown) => void,
): SharedHolders {
  function keyOf(id: string): string {
    return `berth:{${fleet}}:response:${id}`;
  }
  return {
    remember: (id, holder) => {
      const told = run(rememberScript, [keyOf(id)], [JSON.stringify(holder), String(keepSeconds)]);
      return orNull(told.then(holderOf), onFallback);
    },
    find: (id) => orNull(run(findScript, [keyOf(id)], [String(keepSeconds)]).then(holderOf), onFallback),
  };
}

function holderOf(text: unknown): SharedHolder | null {
  return typeof text === 'string' ? SharedHolder.parse(JSON.parse(text)) : null;
}
