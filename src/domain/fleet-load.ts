import { z } from 'zod';
import { LlmServicesStatus, replicaStates } from './fleet-status.ts';
import { EngineSample, GpuSample } from './run/server-sample.ts';

const figure = z.number().nullable();

/** What one replica does at one moment; totals since its start. Null: it does not tell, or rights hide it. */
export const ReplicaReading = z.strictObject({
  deployment: z.string(),
  replica: z.int().min(0),
  state: z.enum(replicaStates),
  pid: z.int().nullable(),
  slots: z.int().nullable(),
  memoryBytes: figure,
  /** Processor time of its process and all below it. */
  cpuSeconds: figure,
  /** Cores that it uses now, where its target tells a rate and no total. */
  cores: figure.optional(),
  engine: EngineSample.nullable(),
});
export type ReplicaReading = z.infer<typeof ReplicaReading>;

/** The whole fleet at one moment; `at` in ms of a monotonic clock. */
export interface FleetReading {
  readonly at: number;
  readonly replicas: readonly ReplicaReading[];
  readonly gpus: readonly GpuSample[];
  /** Beside the fleet's engines of target kserve; absent where there are none. */
  readonly llmServices?: readonly LlmServicesStatus[];
}

export const ReplicaLoad = ReplicaReading.omit({ cpuSeconds: true, engine: true }).extend({
  running: figure,
  waiting: figure,
  /** Share of the KV cache in use, 0 to 1. */
  kvUse: figure,
  promptTokensPerSecond: figure,
  outputTokensPerSecond: figure,
  /** Cores that it used on average. */
  cores: figure,
});
export type ReplicaLoad = z.infer<typeof ReplicaLoad>;

/** What the fleet did between two readings: `berth top --json`. */
export const FleetLoad = z.strictObject({
  version: z.literal(1),
  fleet: z.string(),
  seconds: z.number(),
  replicas: z.array(ReplicaLoad),
  gpus: z.array(GpuSample),
  llmServices: z.array(LlmServicesStatus).optional(),
});
export type FleetLoad = z.infer<typeof FleetLoad>;

/** Rates over the time between two readings. One that was started again in between has none: its totals began anew. */
export function loadBetween(fleet: string, before: FleetReading, now: FleetReading): FleetLoad {
  const seconds = (now.at - before.at) / 1000;
  return {
    version: 1,
    fleet,
    seconds,
    replicas: now.replicas.map(({ cpuSeconds, engine, cores, ...replica }) => {
      const earlier = before.replicas.find(
        (one) =>
          one.deployment === replica.deployment && one.replica === replica.replica && one.pid === replica.pid,
      );
      function rate(then: number | null | undefined, total: number | null | undefined): number | null {
        if (typeof then !== 'number' || typeof total !== 'number' || total < then) return null;
        return (total - then) / seconds;
      }
      return {
        ...replica,
        running: engine?.running ?? null,
        waiting: engine?.waiting ?? null,
        kvUse: engine?.kvUse ?? null,
        promptTokensPerSecond: rate(earlier?.engine?.promptTokens, engine?.promptTokens),
        outputTokensPerSecond: rate(earlier?.engine?.outputTokens, engine?.outputTokens),
        cores: rate(earlier?.cpuSeconds, cpuSeconds) ?? cores ?? null,
      };
    }),
    gpus: [...now.gpus],
    ...(now.llmServices ? { llmServices: [...now.llmServices] } : {}),
  };
}
