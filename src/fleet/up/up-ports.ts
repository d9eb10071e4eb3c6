import type { Plan } from '../../domain/plan.ts';
import type { FetchModel } from '../on-demand/fetch-first.ts';
import type { RequestView } from '../observe/live-requests.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Traffic } from '../apply/traffic.ts';
import type { UpState } from './up-state.ts';

/** What the control process is handed, so that it knows neither console nor command line. */
export interface UpPorts {
  readonly onProgress: (line: string) => void;
  /** Opens console and control API; null when there is none. */
  readonly startControl: (hold: UpHold) => Promise<{ url: string; close: () => Promise<void> } | null>;
  /** Fetches models that the plan's engines would not find; the same plan where there were none. */
  readonly fetch: (plan: Plan) => Promise<Plan>;
  /** Fetches one model that somebody has asked for. */
  readonly fetchModel: FetchModel;
  /** Reads the fleet file again. */
  readonly reload: () => Promise<LoadedFleet>;
  /** Calls back when the process is told to reload; returns the way to stop that. */
  readonly onReload: (listener: ReloadListener) => () => void;
  /** Everything serves. The control process ends when this resolves, or when the signal aborts. */
  readonly serving: (state: UpState, hold: UpHold) => Promise<void>;
}

export interface ReloadListener {
  readonly reload: () => void;
  /** The fleet files in force. */
  readonly files: () => readonly string[];
}

/** What others may ask a running control process. */
export interface UpHold {
  readonly loaded: () => LoadedFleet;
  /** Moves traffic for whoever changes engines; a `shift` that is not taken in throws its fault. */
  readonly traffic: Traffic;
  readonly requests: RequestView;
  /** The gateway, with a key of our own; `keyNeeded`: others must bring one too. */
  readonly gateway: () => { url: string; insideUrl: string; key: string; keyNeeded: boolean } | null;
  /** Has the gateway take in the file of keys as it is now. Rejects when it does not; the old keys are in force then. */
  readonly takeInKeys: () => Promise<void>;
}

export interface UpOptions {
  readonly ephemeral: boolean;
  /** Starts what does not fit, too. */
  readonly force: boolean;
  readonly signal: AbortSignal;
}
