/** SIGHUP, which ends this process no more. */
export interface HangUps {
  /** Calls back each time, and at once where it came before anybody listened; returns the way to stop that. */
  readonly listen: (listener: () => void) => () => void;
}

/** From this call on, and to the end of the process: one that comes before or after somebody listens must not end it either. */
export function takeHangUps(): HangUps {
  let heard: (() => void) | null = null;
  let missed = false;
  process.on('SIGHUP', () => {
    if (heard) heard();
    else missed = true;
  });
  return {
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
