/** Lets only so many run at once; the others wait their turn. */
export function limiter(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= most) await new Promise<void>((go) => void waiting.push(go));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place passes on to who waits longest.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
