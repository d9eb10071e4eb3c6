/** What the gateway has to do at this moment, as the control API tells it. */
export interface GatewayLoad {
  /** Clients must bring an API key. */
  readonly keyNeeded: boolean;
  /** Requests under way, by the id of the upstream. */
  readonly inflight: Readonly<Record<string, number>>;
  /** Requests that wait for a slot, by deployment. */
  readonly waiting: Readonly<Record<string, number>>;
  /** What bounds each upstream now, by its id. */
  readonly limits: Readonly<Record<string, InstanceBounds>>;
}

/** What holds at the moment; what is not bounded is absent. */
export interface InstanceBounds {
  /** Requests at once, as trimmed by the engine's own figures. */
  readonly slots?: number;
  /** Tokens in its cache. */
  readonly kv_tokens?: number;
  /** Requests per second. */
  readonly rps?: number;
}
