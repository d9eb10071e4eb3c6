/** Runs a script in the store that all gateways share; rejects when it cannot be reached in time. */
export type RunScript = (
  script: string,
  keys: readonly string[],
  args: readonly string[],
) => Promise<unknown>;

/** Begins a script: `now` in milliseconds since 1970 by the store's own clock. */
export const storeNow = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

/**
 * Begins a script of what ends by itself: `now` in milliseconds by the store's own clock, since those of gateways differ, and who
 * asks (`me`) for how long (`keep`), which are its first two arguments.
 */
export const whoAndUntil = `${storeNow}
local me, keep = ARGV[1], tonumber(ARGV[2])`;

/** What the store answers; null when it cannot be reached, which is told. */
export async function orNull<Of>(
  answer: Promise<Of>,
  onFallback: (error: unknown) => void,
): Promise<Of | null> {
  try {
    return await answer;
  } catch (error) {
    onFallback(error);
    return null;
  }
}
