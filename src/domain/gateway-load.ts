/** What the gateway has to do at this moment, as the control API tells it. */
export interface GatewayLoad {
  /** Clients must bring an API key. */
  readonly keyNeeded: boolean;
  /** Requests under way, by the id of the upstream. */
  readonly inflight: Readonly<Record<string, number>>;
  /** Requests that wait for a slot, by deployment. */
  readonly waiting: Readonly<Record<string, number>>;
}
