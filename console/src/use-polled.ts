import { useEffect, useState } from 'react';
import { askJson } from './api.ts';

export interface Polled<Value> {
  /** The last value that came; stays over a fault. */
  readonly value: Value | null;
  /** Of the latest attempt. */
  readonly error: unknown;
  /** Asks at once. */
  readonly look: () => void;
}

const everyMs = 1_000;

/** Asks the API for a path again and again, as long as the page is shown; one question at a time. */
export function usePolled<Value>(path: string): Polled<Value> {
  const [state, setState] = useState<{ value: Value | null; error: unknown }>({ value: null, error: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    async function look(): Promise<void> {
      try {
        if (!document.hidden) {
          const value = await askJson<Value>(path, { signal: leaving.signal });
          setState({ value, error: null });
        }
      } catch (error) {
        if (!leaving.signal.aborted) setState((before) => ({ ...before, error }));
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void look(), everyMs);
    }
    void look();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [path, turn]);
  return { ...state, look: () => setTurn((before) => before + 1) };
}
