import type { KeyReport } from '../domain/key-usage.ts';
import type { KeyAnswer, KeyView, NewKey } from '../domain/key-record.ts';
import type { FleetStatus } from '../domain/fleet-status.ts';
import type { CapturedRequest, CaptureList } from '../domain/captured-request.ts';
import type { LiveRequests } from '../domain/live-request.ts';
import type { RunProgress } from '../domain/run-progress.ts';
import type { Traffic } from '../fleet/apply/traffic.ts';
import type { Report, RunSummary } from '../domain/run/report.ts';

/** Where the gateway of this fleet listens, as this process reaches it. */
export interface GatewayAccess {
  /** Base URL without a trailing slash and without /v1. */
  readonly url: string;
  /** A key of its own for the console. Never leaves this process. */
  readonly key: string;
  /** Other clients must bring a key too. */
  readonly keyNeeded: boolean;
}

/** The requests under way in the gateway. */
export interface RequestPorts {
  readonly list: () => Promise<LiveRequests>;
  readonly cancel: (id: string) => Promise<void>;
  readonly captures: () => Promise<CaptureList>;
  readonly capture: (id: string) => Promise<CapturedRequest>;
}

/** Management of the gateway's keys. When a promise resolves, the gateway has taken the change in, or said why not. */
export interface KeyPorts {
  readonly list: () => Promise<readonly KeyView[]>;
  readonly usage: () => Promise<KeyReport>;
  /** `wish`: a KeyWish as the page sent it, not yet checked. */
  readonly add: (wish: unknown) => Promise<KeyAnswer<NewKey>>;
  readonly rotate: (id: string, graceMs: number) => Promise<KeyAnswer<NewKey>>;
  readonly revoke: (id: string) => Promise<KeyAnswer<KeyView>>;
  /** Takes in what another process has changed. */
  readonly takeIn: () => Promise<void>;
}

/**
 * What the control server is handed. It knows no feature: whoever starts it wires these to the fleet, the bench and the gateway.
 * Every value is JSON as the page gets it; null says that there is no such thing.
 */
export interface ControlPorts {
  /** State of the whole fleet. Called once a second while a page is open, so it must be cheap (no more than a scan). */
  readonly status: () => Promise<FleetStatus>;
  readonly runs: () => Promise<readonly RunSummary[]>;
  readonly report: (run: string) => Promise<Report | null>;
  /** The self-contained page of a run. */
  readonly reportHtml: (run: string) => Promise<string | null>;
  /** Last lines of a deployment's engines, oldest first. */
  readonly logs: (deployment: string, lines: number) => Promise<readonly string[] | null>;
  readonly gateway: () => GatewayAccess | null;
  readonly traffic: Traffic;
  readonly requests: RequestPorts;
  readonly keys: KeyPorts;
  /** Tells the listener of every progress of a benchmark; returns the way to stop telling. */
  readonly onProgress: (listener: (progress: RunProgress) => void) => () => void;
}
