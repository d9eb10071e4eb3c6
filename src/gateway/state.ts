import type { Instance } from './instance.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { UsageCounts } from './key-usage.ts';
import type { Meter } from './meter.ts';
import type { Observer } from './observer.ts';
import type { Demands } from './on-demand/demands.ts';
import type { RetryBudget } from './retry-budget.ts';
import type { Shadows } from './shadows.ts';
import type { Snapshot } from './snapshot.ts';
import type { SplitUnits } from './split-units.ts';
import type { StoredResponses } from './stored-responses.ts';

/** What lives as long as the process; only `snapshot` changes on a reload. */
export interface GatewayState {
  snapshot: Snapshot;
  draining: boolean;
  /** Engines that a reload took away while requests were under way there. */
  readonly leaving: Set<Instance>;
  readonly meter: Meter;
  readonly usage: UsageCounts;
  readonly held: HeldBytes;
  readonly retries: RetryBudget;
  readonly shadows: Shadows;
  readonly stored: StoredResponses;
  readonly units: SplitUnits;
  readonly observer: Observer;
  readonly demands: Demands;
  /** Monotonic milliseconds, read once a tick. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Calls the task after that many milliseconds, to a tick's accuracy; the result calls it off. */
  readonly after: (ms: number, task: () => void) => () => void;
}
