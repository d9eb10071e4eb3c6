/** Passes on that something came, also where it came before anybody listened. */
export interface Latch {
  readonly tell: () => void;
  /** Calls back each time, and once at once where it came before; returns the way to stop that. */
  readonly listen: (listener: () => void) => () => void;
}

export function latch(): Latch {
  let heard: (() => void) | null = null;
  let missed = false;
  return {
    tell: () => {
      if (heard) heard();
      else missed = true;
    },
    listen: (listener) => {
      heard = listener;
      if (missed) listener();
      missed = false;
      return () => {
        if (heard === listener) heard = null;
      };
    },
  };
}
