import type { Mark } from '../../domain/instance.ts';

/** An engine that runs, or will again. */
export interface RunningEngine {
  readonly mark: Mark;
  /** Where it is; absent: on the host of its deployment. */
  readonly machine?: string;
  /** It takes over from the other one of its replica, and gets so much of its requests so far; absent: it is the one that serves. */
  readonly share?: number;
  /** Where its own key lies by our own word, null where it has none; absent: where its mark says, as far as that is believed. */
  readonly keyFile?: string | null;
}
