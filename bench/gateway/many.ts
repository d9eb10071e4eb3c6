import type { Goal } from '../lib/goals.ts';
import { interleavedPairs, median } from '../lib/pairs.ts';
import { clientArgv, runLoad } from './load.ts';
import type { Seen } from './load.ts';
import { firstLine, pssKib, start, stop } from './processes.ts';
import type { Side } from './sides.ts';

/** Many streams at once, few events each: what an open stream costs, whether any event is lost, how late they come. */
const streams = 2000;
const gapMicros = 200_000;

interface Held {
  readonly kib: number;
  readonly lost: number;
  readonly delayMs: number;
}

/** nginx and our gateway in turn; each begun anew, since one that has been busy has memory in hand. */
export async function manyStreams(
  client: string,
  begin: { readonly nginx: () => Promise<Side>; readonly gateway: () => Promise<Side> },
  options: { readonly pairs: number; readonly seconds: number },
): Promise<Goal[]> {
  const all: Record<'nginx' | 'gateway', Held[]> = { nginx: [], gateway: [] };
  async function turn(name: 'nginx' | 'gateway'): Promise<number> {
    const held = await hold(client, begin[name], options.seconds);
    all[name].push(held);
    return held.kib;
  }
  const { first, second } = await interleavedPairs(
    options.pairs,
    { first: () => turn('nginx'), second: () => turn('gateway') },
    { warmUp: false },
  );
  console.log(
    `${streams} streams: nginx ${median(first).toFixed(1)} KiB each, gateway ${median(second).toFixed(1)} KiB`,
  );
  const over = all.gateway.map((ours, i) => ours.delayMs - (all.nginx[i]?.delayMs ?? Number.NaN));
  return [
    { name: 'gateway.many.kib-per-stream', value: median(second), bound: { atMost: 60 } },
    {
      name: 'gateway.many.events-lost',
      value: all.gateway.reduce((sum, { lost }) => sum + lost, 0),
      bound: { atMost: 0 },
    },
    { name: 'gateway.many.delay-p99-over-nginx-ms', value: median(over), bound: { atMost: 5 } },
  ];
}

/** Holds the streams open to their end, and looks at the memory half-way. */
async function hold(client: string, begin: () => Promise<Side>, seconds: number): Promise<Held> {
  const events = Math.round((seconds * 1e6) / gapMicros);
  const side = await begin();
  try {
    await runLoad(client, side, { connections: 4, seconds: 1, events: 5, gapMicros: 1000 });
    const before = pssKib(side.pid);
    const load = { connections: streams, seconds: seconds * 3, events, gapMicros, once: true };
    const line = firstLine(start(clientArgv(client, side, load)));
    await new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / 2));
    const during = pssKib(side.pid);
    const seen = JSON.parse(await line) as Seen;
    return {
      kib: (during - before) / streams,
      lost: streams * events - seen.events,
      delayMs: seen.delay_p99 / 1000,
    };
  } finally {
    await stop(side.child);
  }
}
