/** How much of a reply is still read for nobody. */
export interface DrainBounds {
  readonly bytes: number;
  readonly ms: number;
}

/**
 * Counts what an engine still sends after its client has left, for engines that take harm when a request is cut off.
 * Calls `onOver` once, when a bound is passed.
 */
export class AbortDrain {
  #left: number;
  readonly #onOver: () => void;
  readonly #callOff: () => void;

  constructor(
    bounds: DrainBounds,
    options: { after: (ms: number, task: () => void) => () => void; onOver: () => void },
  ) {
    this.#left = bounds.bytes;
    this.#onOver = options.onOver;
    this.#callOff = options.after(bounds.ms, options.onOver);
  }

  took(bytes: number): void {
    const wasWithin = this.#left >= 0;
    this.#left -= bytes;
    if (wasWithin && this.#left < 0) {
      this.stop();
      this.#onOver();
    }
  }

  /** The reply has ended by itself. */
  stop(): void {
    this.#callOff();
  }
}
