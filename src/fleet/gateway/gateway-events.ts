import { z } from 'zod';

/** One line of the gateway's stdout. */
export const GatewayEvent = z.looseObject({
  event: z.string(),
  /** Of "answer", and of "reloaded" and "reload-failed" where that was asked for by a number. */
  id: z.int().optional(),
  result: z.unknown().optional(),
  /** Of "fetch", "load" and "unload". */
  deployment: z.string().optional(),
  /** Of "follow". */
  wish: z.string().optional(),
  to: z.unknown().optional(),
  listen: z
    .array(
      z.looseObject({ address: z.string(), port: z.int(), tls: z.boolean(), inside: z.boolean().optional() }),
    )
    .optional(),
  /** Of "failed" and "reload-failed". */
  error: z.looseObject({ code: z.string(), message: z.string(), facts: z.unknown().optional() }).optional(),
});
export type GatewayEvent = z.infer<typeof GatewayEvent>;

const PortFacts = z.looseObject({ address: z.string(), port: z.int() });

/** The address that the gateway could not have, when that was its fault. */
export function takenAddress(event: GatewayEvent): { address: string; port: number } | null {
  if (event.error?.code !== 'PORT_TAKEN') return null;
  const facts = PortFacts.safeParse(event.error.facts).data;
  return facts ? { address: facts.address, port: facts.port } : null;
}

/** The gateway's events as they come; each can be waited for by name. */
export interface GatewayEvents {
  /** Calls back for every event from now on. */
  readonly listen: (listener: (event: GatewayEvent) => void) => void;
  /** The next event of these names; null when the gateway has ended without, or the signal aborts. */
  readonly next: (names: readonly string[], signal: AbortSignal) => Promise<GatewayEvent | null>;
  /** The answer to the ask of this number; null as above. */
  readonly answer: (id: number, signal: AbortSignal) => Promise<GatewayEvent | null>;
  /** How the reload of this number came out; null as above. */
  readonly reload: (id: number, signal: AbortSignal) => Promise<GatewayEvent | null>;
}

export function followEvents(lines: AsyncIterable<string>): GatewayEvents {
  const waiting = new Set<(event: GatewayEvent | null) => void>();
  const listeners = new Set<(event: GatewayEvent) => void>();
  async function read(): Promise<void> {
    for await (const line of lines) {
      const event = parse(line);
      if (!event) continue;
      for (const hear of listeners) hear(event);
      for (const tell of waiting) tell(event);
    }
  }
  let ended = false;
  void read().finally(() => {
    ended = true;
    for (const tell of waiting) tell(null);
  });
  function first(is: (event: GatewayEvent) => boolean, signal: AbortSignal): Promise<GatewayEvent | null> {
    return new Promise((resolve) => {
      function settle(event: GatewayEvent | null): void {
        if (event && !is(event)) return;
        waiting.delete(settle);
        signal.removeEventListener('abort', giveUp);
        resolve(event);
      }
      function giveUp(): void {
        settle(null);
      }
      waiting.add(settle);
      signal.addEventListener('abort', giveUp);
      if (ended || signal.aborted) giveUp();
    });
  }
  return {
    listen: (listener) => void listeners.add(listener),
    next: (names, signal) => first(({ event }) => names.includes(event), signal),
    answer: (id, signal) => first((event) => event.event === 'answer' && event.id === id, signal),
    reload: (id, signal) => first((event) => reloads.has(event.event) && event.id === id, signal),
  };
}

const reloads = new Set(['reloaded', 'reload-failed']);

function parse(line: string): GatewayEvent | null {
  try {
    return GatewayEvent.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
