import { BerthError } from '../../domain/errors/berth-error.ts';
import { boundsOf, dealtPoint, errorPoints, measureOf } from '../../domain/experiment-tally.ts';
import type { TallyRow } from '../../domain/experiment-tally.ts';
import type { ArmStatus, Experiment, ExperimentStatus } from '../../domain/experiment.ts';
import type { World } from '../../io/world.ts';
import { designEffect } from '../../stats/clustered.ts';
import type { Cluster } from '../../stats/clustered.ts';
import { leastFor, quantileIn, ratioEvidence, shareIn } from '../../stats/sequential.ts';
import type { Bounded } from '../../stats/sequential.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { readUpState } from '../up/up-state.ts';
import { withCounts } from './experiment-counts.ts';

/** Evidence from which on clients count as dealt out otherwise than the weights say: a false alarm in a thousand. */
const mismatchFrom = 1000;

/** How the experiments of a fleet stand, and why that is not all there is, by what gateways have kept. Throws GATEWAY_ABSENT where none has counted yet. */
export async function experimentStatus(
  world: World,
  loaded: LoadedFleet,
): Promise<{ experiments: ExperimentStatus[]; partly: string | null }> {
  return withCounts(world, loaded, async ({ rows, partly }) => {
    const counted = new Map<string, readonly TallyRow[]>();
    for (const name of Object.keys(loaded.experiments)) counted.set(name, await rows(name));
    const some = [...counted.values()].some((one) => one.length > 0);
    if (!some && !(await readUpState(world, loaded))?.gateway) throw new BerthError('GATEWAY_ABSENT', {});
    const experiments = Object.entries(loaded.experiments).map(([name, one]) =>
      judge(name, one, counted.get(name) ?? []),
    );
    return { experiments, partly };
  });
}

/** Pure: the same counts give the same verdicts. */
export function judge(name: string, experiment: Experiment, rows: readonly TallyRow[]): ExperimentStatus {
  const { alpha, metric } = experiment;
  const own = rows.filter((row) => row.experiment === name && row.measure === measureOf(metric));
  const arms = Object.entries(experiment.arms).map(([arm, deployment], i) => ({
    arm,
    deployment,
    weight: experiment.split?.[i] ?? 1,
    // Every arm's interval must hold together with the others'.
    ...measure(
      own.filter((row) => row.deployment === deployment),
      metric,
      alpha / Object.keys(experiment.arms).length,
    ),
  }));
  const first = arms[0]?.bounded ?? null;
  const units = arms.map((one) => one.units);
  const e = ratioEvidence(
    units,
    arms.map(({ weight }) => weight),
  );
  const seen = units.some((count) => count > 0);
  return {
    experiment: name,
    metric,
    alpha,
    least: leastFor(quantileOf(metric) ?? 0.5, alpha / arms.length),
    ratio: { state: seen ? (e >= mismatchFrom ? 'mismatch' : 'ok') : 'unknown', e },
    arms: arms.map(({ bounded, ...arm }, i): ArmStatus => ({
      ...arm,
      value: bounded?.value ?? null,
      interval: bounded && { low: bounded.low, high: bounded.high },
      verdict: i === 0 ? null : verdictOf(bounded, first),
    })),
  };
}

/** Less is better. What lies in a bucket is above its lower edge and not above its upper one: intervals that meet there have parted. */
function verdictOf(own: Bounded | null, first: Bounded | null): NonNullable<ArmStatus['verdict']> {
  if (!own || !first) return 'not yet enough';
  if (own.high !== null && own.high <= first.low) return 'better';
  if (first.high !== null && own.low >= first.high) return 'worse';
  return 'not yet enough';
}

function quantileOf(metric: string): number | null {
  const percent = /_p(\d+)$/.exec(metric)?.[1];
  return percent === undefined ? null : Number(percent) / 100;
}

interface Measured {
  readonly units: number;
  readonly requests: number;
  readonly worth: number;
  readonly bounded: Bounded | null;
}

/**
 * An arm by its clients: values of one client are not independent of each other, so that all of them are worth fewer that are, and the band
 * is that of so many.
 */
function measure(rows: readonly TallyRow[], metric: string, alpha: number): Measured {
  const measureName = measureOf(metric);
  const bounds = boundsOf(measureName) ?? [];
  const points = boundsOf(measureName) ? [...bounds, Infinity].map(String) : errorPoints;
  const clients = Map.groupBy(rows, ({ client }) => client);
  const named = [...clients].filter(([client]) => client !== '');
  const counts = points.map((point) => countAt(rows, point));
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const quantile = quantileOf(metric);
  // For a share, those that did not fail; else those up to an edge beside the quantile.
  const edges = quantile === null ? [0] : edgesAround(counts, quantile);
  const effects = edges.map((edge) =>
    designEffect(
      named.map(([, own]) => clusterUpTo(own, points, edge)).filter(({ of }) => of > 0),
      clusterUpTo(clients.get('') ?? [], points, edge),
    ),
  );
  const worth = requests / Math.max(1, ...effects);
  return {
    units: named.filter(([, own]) => countAt(own, dealtPoint) > 0).length,
    requests,
    worth: Math.round(worth),
    bounded:
      quantile === null
        ? shareIn(counts[1] ?? 0, requests, { alpha, worth })
        : quantileIn(counts, bounds, { quantile, alpha, worth }),
  };
}

function countAt(rows: readonly TallyRow[], point: string): number {
  return rows.reduce((sum, row) => sum + (row.point === point ? row.count : 0), 0);
}

/** Of one client's values, those that lie in the buckets up to this one. */
function clusterUpTo(rows: readonly TallyRow[], points: readonly string[], edge: number): Cluster {
  let hits = 0;
  let of = 0;
  for (const { point, count } of rows) {
    const at = points.indexOf(point);
    if (at < 0) continue;
    of += count;
    if (at <= edge) hits += count;
  }
  return { hits, of };
}

/** The buckets whose upper bounds lie at either side of the quantile; where values lie above and below one alone, that one, since the other tells nothing. */
function edgesAround(counts: readonly number[], quantile: number): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const upTo = counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0));
  const at = Math.max(
    0,
    upTo.findIndex((sum) => sum >= quantile * all),
  );
  const edges = [Math.max(0, at - 1), at];
  const telling = edges.filter((edge) => (upTo[edge] ?? 0) > 0 && (upTo[edge] ?? 0) < all);
  return telling.length > 0 ? telling : edges;
}
