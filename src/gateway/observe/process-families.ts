import type { MetricFamily } from '../../stats/prometheus.ts';

/** What the gateway itself takes of the machine, by the names that Prometheus clients share. */
export function processFamilies(): MetricFamily[] {
  const cpu = process.cpuUsage();
  return [
    one('counter', 'process_cpu_seconds_total', 'Processor time used, user and system.', {
      value: (cpu.user + cpu.system) / 1e6,
    }),
    one('gauge', 'process_resident_memory_bytes', 'Resident memory.', { value: process.memoryUsage.rss() }),
    one('gauge', 'process_start_time_seconds', 'Start of the process, in seconds since 1970.', {
      value: Math.round(performance.timeOrigin) / 1000,
    }),
  ];
}

function one(
  kind: 'counter' | 'gauge',
  name: string,
  help: string,
  { value }: { value: number },
): MetricFamily {
  return { kind, name, help, samples: [{ labels: {}, value }] };
}
