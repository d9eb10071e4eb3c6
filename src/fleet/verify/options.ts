/** How the gateway is reached by berth itself. */
export interface Door {
  readonly url: string;
  readonly token: string;
}

export interface VerifyOptions {
  /** Deployments; without any, all of the fleet. */
  readonly names: readonly string[];
  /** The running gateway; null: none runs. Absent: it is not looked at. */
  readonly door?: Door | null;
  /** For each answer. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}
