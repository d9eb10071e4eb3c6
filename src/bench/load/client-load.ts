import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ClientLoad } from '../analyse/client-health.ts';

const grainMs = 10;

/** Both clocks of the machine, ms: the one that only goes on, and the one that can be set. */
export interface BothClocks {
  readonly monotonic: () => number;
  readonly wall: () => number;
}

const machineClocks: BothClocks = { monotonic: () => performance.now(), wall: () => Date.now() };

/** Watches this process from now until the returned function is called. */
export function watchClient({ monotonic, wall }: BothClocks = machineClocks): () => ClientLoad {
  const loop = monitorEventLoopDelay({ resolution: grainMs });
  loop.enable();
  const cpu = process.cpuUsage();
  const since = monotonic();
  const wallSince = wall();
  return () => {
    loop.disable();
    const used = process.cpuUsage(cpu);
    const elapsedMs = monotonic() - since;
    // The histogram holds whole periods; what is over the grain is the delay.
    const p99 = loop.percentile(99) / 1e6 - grainMs;
    return {
      loopDelayP99Ms: loop.count === 0 ? null : Math.max(0, p99),
      elapsedMs,
      clockDriftMs: wall() - wallSince - elapsedMs,
      cpuShare: elapsedMs === 0 ? null : (used.user + used.system) / 1000 / elapsedMs,
    };
  };
}
