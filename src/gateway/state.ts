import type { Instance } from './routing/instance.ts';
import type { HeldBytes } from './admission/held-bytes.ts';
import type { UsageCounts } from './accounts/key-usage.ts';
import type { KeyRefusals } from './upstream/key-refusals.ts';
import type { Meter } from './reply/meter.ts';
import type { Trials } from './experiments/trials.ts';
import type { Observer } from './observe/observer.ts';
import type { Deployment } from './routing/deployment.ts';
import type { Demands } from './on-demand/demands.ts';
import type { Shadows } from './upstream/shadows.ts';
import type { Snapshot } from './observe/snapshot.ts';
import type { SplitUnits } from './split-units.ts';
import type { StoredResponses } from './stored/stored-responses.ts';
import type { Followers } from './traffic/followers.ts';
import type { Together } from './traffic/together.ts';

/** What lives as long as the process; only `snapshot` changes on a reload. */
export interface GatewayState {
  snapshot: Snapshot;
  draining: boolean;
  /** Engines that a reload took away while requests were under way there. */
  readonly leaving: Set<Instance>;
  /** Deployments that a reload took away and that requests of before still wait for or are under way at. */
  readonly deserted: Set<Deployment>;
  readonly meter: Meter;
  readonly keyRefusals: KeyRefusals;
  readonly usage: UsageCounts;
  readonly held: HeldBytes;
  readonly shadows: Shadows;
  readonly stored: StoredResponses;
  readonly units: SplitUnits;
  readonly trials: Trials;
  readonly observer: Observer;
  readonly demands: Demands;
  readonly followers: Followers;
  readonly together: Together;
  /** Monotonic milliseconds, read once a tick. */
  readonly now: () => number;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
  /** Calls the task after that many milliseconds, to a tick's accuracy; the result calls it off. */
  readonly after: (ms: number, task: () => void) => () => void;
}
