import { useEffect, useState } from 'react';
import { askJson } from './api.ts';

export interface Loaded<Value> {
  /** The last value that came; stays while a newer one is on its way. */
  readonly value: Value | null;
  readonly error: unknown;
  readonly loading: boolean;
}

/** Asks the API for a path, again whenever the path or `again` changes. */
export function useLoaded<Value>(path: string | null, again: unknown = null): Loaded<Value> {
  const [state, setState] = useState<Loaded<Value> & { path: string | null }>({
    path,
    value: null,
    error: null,
    loading: true,
  });
  useEffect(() => {
    if (path === null) return;
    const leaving = new AbortController();
    askJson<Value>(path, { signal: leaving.signal }).then(
      (value) => setState({ path, value, error: null, loading: false }),
      (error: unknown) => {
        if (!leaving.signal.aborted) setState({ path, value: null, error, loading: false });
      },
    );
    return () => leaving.abort();
  }, [path, again]);
  return state.path === path ? state : { value: null, error: null, loading: path !== null };
}
