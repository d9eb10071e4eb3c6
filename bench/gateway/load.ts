import { cpuMicros, firstLine, pinned, start } from './processes.ts';
import type { Side } from './sides.ts';

/** Engine and client run on this core, the proxy that is measured on the other. */
export const loadCore = 0;
/** Between two events of a stream: 50 tokens a second. */
const gapMicros = 20_000;

/** What the client saw in one run; times in microseconds. */
export interface Seen {
  readonly replies: number;
  readonly events: number;
  readonly failed: number;
  readonly first_p50: number;
  readonly first_p99: number;
  readonly delay_p50: number;
  readonly delay_p99: number;
}

export interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** Of each reply; 0 for a small plain reply. */
  readonly events: number;
  readonly gapMicros: number;
  /** Each connection makes one request only. */
  readonly once?: boolean;
}

/**
 * Streams that end by themselves, each after so many seconds. A gateway may go on reading what its client has cut off: what
 * is measured next would have engine and core taken up by that. Three times as long is waited for one that falls behind.
 */
export function wholeStreams(connections: number, seconds: number): Load {
  const events = Math.round((seconds * 1e6) / gapMicros);
  return { connections, seconds: seconds * 3, events, gapMicros, once: true };
}

/** Streams of a few tenths of a second, each by a connection of its own. */
export function shortStreams(connections: number): Load {
  return { connections, seconds: 10, events: 10, gapMicros, once: true };
}

export function clientArgv(client: string, side: Pick<Side, 'port' | 'headers'>, load: Load): string[] {
  const numbers = [side.port, load.connections, load.seconds, load.events, load.gapMicros].map(String);
  return pinned([client, ...numbers, load.once ? 'once' : 'again', side.headers], loadCore);
}

/** Runs the client to its end, whatever it saw: some need seconds for their first answer. */
export async function warmUp(client: string, side: Side, load: Load): Promise<void> {
  await firstLine(start(clientArgv(client, side, load)));
}

/** Runs the client to its end. Rejects when a request failed, or nothing came: that is no figure. */
export async function runLoad(client: string, side: Side, load: Load): Promise<Seen> {
  const seen = JSON.parse(await firstLine(start(clientArgv(client, side, load)))) as Seen;
  const came = load.events > 0 ? seen.events : seen.replies;
  if (seen.failed > 0 || came === 0)
    throw new Error(
      `${side.name}: ${seen.failed} requests failed, ${came} replies or events came: no figure.`,
    );
  return seen;
}

/** Microseconds of the proxy's CPU for one unit (an event, a request), and what the client saw meanwhile. */
export async function cpuPer(client: string, side: Side, load: Load): Promise<{ cpu: number; seen: Seen }> {
  const before = cpuMicros(side.pid);
  const seen = await runLoad(client, side, load);
  const spent = cpuMicros(side.pid) - before;
  return { cpu: spent / (load.events > 0 ? seen.events : seen.replies), seen };
}
