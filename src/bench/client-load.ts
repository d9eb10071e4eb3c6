import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ClientLoad } from './analyse/client-health.ts';

const grainMs = 10;

/** Watches this process from now until the returned function is called. */
export function watchClient(): () => ClientLoad {
  const loop = monitorEventLoopDelay({ resolution: grainMs });
  loop.enable();
  const cpu = process.cpuUsage();
  const since = performance.now();
  return () => {
    loop.disable();
    const used = process.cpuUsage(cpu);
    const elapsedMs = performance.now() - since;
    // The histogram holds whole periods; what is over the grain is the delay.
    const p99 = loop.percentile(99) / 1e6 - grainMs;
    return {
      loopDelayP99Ms: loop.count === 0 ? null : Math.max(0, p99),
      cpuShare: elapsedMs === 0 ? null : (used.user + used.system) / 1000 / elapsedMs,
    };
  };
}
