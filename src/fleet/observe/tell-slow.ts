import type { Clock } from '../../io/clock.ts';

const patienceMs = 1_000;

/** Who is waited for. */
export function waitLine({ deployment, url }: { readonly deployment: string; readonly url: string }): string {
  return `Waiting for ${deployment} to answer at ${url}`;
}

/** Calls `tell` once where the work takes longer than a second, so that nobody waits without knowing for what. */
export async function tellSlow<T>(
  clock: Pick<Clock, 'sleep'>,
  work: Promise<T>,
  tell: (() => void) | undefined,
): Promise<T> {
  if (tell === undefined) return work;
  const done = new AbortController();
  void clock.sleep(patienceMs, done.signal).then(tell, () => {});
  try {
    return await work;
  } finally {
    done.abort();
  }
}
