/** How long a server waits for a client, and how much it takes from one; milliseconds and bytes. */
export interface ServerLimits {
  /** From the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** Without a request under way, and between two reads of a body. Longer than the usual proxies keep a connection. */
  readonly idleMs: number;
  /** How long, and how much, of a body that nobody wants is read, so that the client, still sending, sees the reply and no reset. */
  readonly dropMs: number;
  readonly dropBytes: number;
  /** After the last reply, for the client to close in turn. */
  readonly lingerMs: number;
  /** How long a client may take nothing of a reply that is written. May change while it serves. */
  readonly unreadMs: number;
}

export const usualLimits: ServerLimits = {
  headMs: 60_000,
  idleMs: 75_000,
  dropMs: 15_000,
  dropBytes: 512 * 1024 * 1024,
  lingerMs: 2000,
  unreadMs: 600_000,
};
