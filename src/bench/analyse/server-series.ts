import type { ServerSample } from '../../domain/run/server-sample.ts';
import type { ServerPoint } from '../../domain/run/server-stage.ts';

const mostPoints = 100;

/** A stage's samples as a chart needs them: at most 100 moments, each with the rates since the one before. */
export function serverSeries(samples: readonly ServerSample[]): ServerPoint[] {
  const step = Math.ceil(samples.length / mostPoints);
  const kept = samples.filter((_, i) => i % step === 0);
  return kept.map((sample, i) => pointOf(sample, kept[i - 1] ?? null));
}

function pointOf(sample: ServerSample, before: ServerSample | null): ServerPoint {
  const { engine, process, gpus } = sample;
  const seconds = before === null ? 0 : (sample.at - before.at) / 1e6;
  const used = gpus.flatMap(({ utilization }) => utilization ?? []);
  const watts = gpus.flatMap((gpu) => gpu.watts ?? []);
  return {
    at: sample.at / 1e6,
    running: engine?.running ?? null,
    waiting: engine?.waiting ?? null,
    kvUse: engine?.kvUse ?? null,
    outputTokensPerSecond: rate(engine?.outputTokens, before?.engine?.outputTokens, seconds),
    cores: rate(process?.cpuSeconds, before?.process?.cpuSeconds, seconds),
    rssBytes: process?.rssBytes ?? null,
    gpuUtilization: used.length === 0 ? null : sum(used) / used.length,
    watts: watts.length === 0 ? null : sum(watts),
  };
}

/** Null also when a total fell: what was counted anew tells no rate. */
function rate(
  now: number | null | undefined,
  before: number | null | undefined,
  seconds: number,
): number | null {
  if (now === null || now === undefined || before === null || before === undefined) return null;
  return seconds <= 0 || now < before ? null : (now - before) / seconds;
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}
