import { BerthError } from '../../domain/errors/berth-error.ts';
import type { ArmStatus, Experiment, ExperimentStatus } from '../../domain/experiment.ts';
import type { World } from '../../io/world.ts';
import { readPrometheusRows } from '../../stats/prometheus-read.ts';
import type { PrometheusRow } from '../../stats/prometheus-read.ts';
import { leastFor, quantileIn, ratioEvidence, shareIn } from '../../stats/sequential.ts';
import type { Bounded } from '../../stats/sequential.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { readUpState } from '../up/up-state.ts';

/** Evidence from which on clients count as dealt out otherwise than the weights say: a false alarm in a thousand. */
const mismatchFrom = 1000;
const timeoutMs = 5000;

/** How the experiments of a fleet stand, by the gateway's own counts since it was started. Throws GATEWAY_ABSENT, GATEWAY_UNREACHABLE. */
export async function experimentStatus(
  world: World,
  loaded: LoadedFleet,
  controlToken: string,
): Promise<ExperimentStatus[]> {
  const url = (await readUpState(world, loaded))?.gateway?.url;
  if (url === undefined) throw new BerthError('GATEWAY_ABSENT', {});
  const rows = readPrometheusRows(await metricsOf(world, url, controlToken));
  return Object.entries(loaded.experiments).map(([name, one]) => judge(name, one, rows));
}

async function metricsOf(world: World, url: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  try {
    const { status, text } = await world.http.request(`${url}/metrics`, { headers, timeoutMs });
    if (status === 200) return text;
    throw new BerthError('GATEWAY_UNREACHABLE', { url, reason: `it answered ${status}` });
  } catch (error) {
    if (error instanceof BerthError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new BerthError('GATEWAY_UNREACHABLE', { url, reason }, { cause: error });
  }
}

type Rows = ReadonlyMap<string, readonly PrometheusRow[]>;

/** Pure: the same counts give the same verdicts. */
export function judge(name: string, experiment: Experiment, rows: Rows): ExperimentStatus {
  const { alpha, metric } = experiment;
  const arms = Object.entries(experiment.arms).map(([arm, deployment], i) => ({
    arm,
    deployment,
    weight: experiment.split?.[i] ?? 1,
    // Every arm's interval must hold together with the others'.
    ...measure(rows, { model: name, deployment }, metric, alpha / Object.keys(experiment.arms).length),
    units: sumOf(rows, 'berth_gateway_split_units', { model: name, deployment }),
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

const histogramOf: Readonly<Record<string, string>> = {
  ttft: 'berth_gateway_ttft_seconds',
  e2e: 'berth_gateway_request_duration_seconds',
  tpot: 'berth_gateway_tpot_seconds',
};

function measure(
  rows: Rows,
  of: Readonly<Record<string, string>>,
  metric: string,
  alpha: number,
): { requests: number; bounded: Bounded | null } {
  const quantile = quantileOf(metric);
  if (quantile === null) {
    const all = rowsOf(rows, 'berth_gateway_requests_total', of);
    // What the client broke off or asked wrongly says nothing of the arm.
    const requests = total(all.filter(({ labels }) => !labels['status']?.startsWith('4')));
    const failed = total(all.filter(({ labels }) => labels['status']?.startsWith('5')));
    return { requests, bounded: shareIn(failed, requests, alpha) };
  }
  const { bounds, counts } = bucketsOf(
    rowsOf(rows, `${histogramOf[metric.replace(/_p\d+$/, '')] ?? ''}_bucket`, of),
  );
  const requests = counts.reduce((sum, count) => sum + count, 0);
  return { requests, bounded: quantileIn(counts, bounds, { quantile, alpha }) };
}

/** Sums over endpoints, and not cumulative any more. */
function bucketsOf(rows: readonly PrometheusRow[]): { bounds: number[]; counts: number[] } {
  const upTo = new Map<number, number>();
  for (const { labels, value } of rows) {
    const le = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    upTo.set(le, (upTo.get(le) ?? 0) + value);
  }
  const edges = [...upTo.keys()].toSorted((a, b) => a - b);
  const counts = edges.map(
    (edge, i) => (upTo.get(edge) ?? 0) - (i === 0 ? 0 : (upTo.get(edges[i - 1] ?? 0) ?? 0)),
  );
  return { bounds: edges.filter(Number.isFinite), counts };
}

function rowsOf(rows: Rows, name: string, of: Readonly<Record<string, string>>): PrometheusRow[] {
  return (rows.get(name) ?? []).filter(({ labels }) =>
    Object.entries(of).every(([label, value]) => labels[label] === value),
  );
}

function sumOf(rows: Rows, name: string, of: Readonly<Record<string, string>>): number {
  return total(rowsOf(rows, name, of));
}

function total(rows: readonly PrometheusRow[]): number {
  return rows.reduce((sum, { value }) => sum + value, 0);
}
