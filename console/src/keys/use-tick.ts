import { useEffect, useState } from 'react';

/** Counts up once a period, while the page can be seen. */
export function useTick(periodMs: number): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setTick((before) => before + 1);
    }, periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
  return tick;
}
