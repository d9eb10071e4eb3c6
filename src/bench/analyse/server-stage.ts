import type { EngineSample, GpuSample, ServerSample } from '../../domain/run/server-sample.ts';
import type { Energy, GaugeSummary, ServerStage } from '../../domain/run/server-stage.ts';
import { serverSeries } from './server-series.ts';
import type { Span } from './window.ts';

/** The server's side of a stage out of the samples of its time; null when there is none. Pure. */
export function serverStage(
  samples: readonly ServerSample[],
  stage: { window: Span | null },
): ServerStage | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last) return null;
  const { window } = stage;
  const inside =
    window === null ? samples : samples.filter(({ at }) => at >= window.start && at <= window.end);
  const steady = inside.length > 0 ? inside : samples;
  const totals = createTotals(samples);
  function engine(figure: keyof EngineSample): number | null {
    return totals.restarted ? null : totals.moved(figure);
  }
  const energy = {
    cpu: counted(samples.map(({ cpuJoules }) => cpuJoules)),
    gpus: gpuSummaries(samples, steady),
  };
  return {
    samples: samples.length,
    seconds: (last.at - first.at) / 1e6,
    running: gauge(steady.map((each) => each.engine?.running)),
    waiting: gauge(steady.map((each) => each.engine?.waiting)),
    kvUse: gauge(steady.map((each) => each.engine?.kvUse)),
    preemptions: engine('preemptions'),
    promptTokens: engine('promptTokens'),
    cachedTokens: engine('cachedTokens'),
    outputTokens: engine('outputTokens'),
    prefixHitShare: hitShare(engine),
    restarted: totals.restarted,
    process: processSummary(samples),
    gpus: energy.gpus,
    cpuEnergy: energy.cpu,
    joulesPerOutputToken: perToken(
      [energy.cpu, ...energy.gpus.map((each) => each.energy)],
      engine('outputTokens'),
    ),
    series: serverSeries(samples),
  };
}

type Moved = (figure: keyof EngineSample) => number | null;

const totalsOfEngine = ['promptTokens', 'outputTokens', 'preemptions', 'requests'] as const;

/** How far the engine's totals moved. One that fell began anew, and then so did all. */
function createTotals(samples: readonly ServerSample[]): { moved: Moved; restarted: boolean } {
  const told = samples.flatMap(({ engine }) => (engine ? [engine] : []));
  function values(figure: keyof EngineSample): number[] {
    return told.flatMap((each) => each[figure] ?? []);
  }
  return {
    moved: (figure) => {
      const known = values(figure);
      return known.length < 2 ? null : (known.at(-1) as number) - (known[0] as number);
    },
    restarted: totalsOfEngine.some((figure) =>
      values(figure).some((value, i, all) => i > 0 && value < (all[i - 1] as number)),
    ),
  };
}

/** Where cached tokens are no part of the prompt tokens (llama.cpp), both together were looked up. */
function hitShare(engine: Moved): number | null {
  const queries = engine('prefixQueries');
  const hits = engine('prefixHits');
  if (queries !== null && hits !== null) return queries > 0 ? hits / queries : null;
  const cached = engine('cachedTokens');
  const worked = engine('promptTokens');
  return cached !== null && worked !== null && cached + worked > 0 ? cached / (cached + worked) : null;
}

function gauge(values: readonly (number | null | undefined)[]): GaugeSummary | null {
  const known = values.flatMap((value) => value ?? []);
  if (known.length === 0) return null;
  return {
    n: known.length,
    mean: known.reduce((sum, value) => sum + value, 0) / known.length,
    min: Math.min(...known),
    max: Math.max(...known),
  };
}

function processSummary(samples: readonly ServerSample[]): ServerStage['process'] {
  const told = samples.flatMap(({ at, process }) => (process ? [{ at, ...process }] : []));
  const [first] = told;
  const last = told.at(-1);
  if (!first || !last) return null;
  const used =
    first.cpuSeconds === null || last.cpuSeconds === null ? null : last.cpuSeconds - first.cpuSeconds;
  const seconds = (last.at - first.at) / 1e6;
  return {
    // A process that came anew has used less than the one before it.
    cores: used === null || used < 0 || seconds <= 0 ? null : used / seconds,
    rssMaxBytes: gauge(told.map(({ rssBytes }) => rssBytes))?.max ?? null,
  };
}

function gpuSummaries(
  samples: readonly ServerSample[],
  steady: readonly ServerSample[],
): ServerStage['gpus'] {
  const ids = [...new Set(samples.flatMap(({ gpus }) => gpus.map(({ gpu }) => gpu)))];
  return ids.map((id) => {
    const all = of(id, samples);
    const inside = of(id, steady);
    return {
      gpu: id,
      name: all[0]?.name ?? null,
      utilization: gauge(inside.map(({ utilization }) => utilization)),
      memoryMaxBytes: gauge(all.map(({ memoryBytes }) => memoryBytes))?.max ?? null,
      watts: gauge(inside.map(({ watts }) => watts)),
      energy: counted(all.map(({ joules }) => joules)) ?? estimated(all),
    };
  });
}

function of(id: string, samples: readonly ServerSample[]): (GpuSample & { at: number })[] {
  return samples.flatMap(({ at, gpus }) =>
    gpus.filter(({ gpu }) => gpu === id).map((each) => ({ ...each, at })),
  );
}

/** From a counter of joules; null without two readings of it, or when it fell. */
function counted(readings: readonly (number | null)[]): Energy | null {
  const known = readings.flatMap((value) => value ?? []);
  const joules = (known.at(-1) ?? 0) - (known[0] ?? 0);
  return known.length < 2 || joules < 0 ? null : { joules, source: 'counter' };
}

/** Power over time by the trapezoidal rule. */
function estimated(readings: readonly { at: number; watts: number | null }[]): Energy | null {
  const known = readings.flatMap(({ at, watts }) => (watts === null ? [] : [{ at, watts }]));
  if (known.length < 2) return null;
  let joules = 0;
  for (const [i, { at, watts }] of known.slice(1).entries()) {
    const before = known[i] as { at: number; watts: number };
    joules += ((at - before.at) / 1e6) * ((watts + before.watts) / 2);
  }
  return { joules, source: 'estimate' };
}

function perToken(energies: readonly (Energy | null)[], tokens: number | null): number | null {
  const known = energies.flatMap((energy) => energy?.joules ?? []);
  if (known.length === 0 || !tokens) return null;
  return known.reduce((sum, joules) => sum + joules, 0) / tokens;
}
