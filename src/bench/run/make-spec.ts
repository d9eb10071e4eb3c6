import type { BenchmarkEntry } from '../../domain/benchmark.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { runSchema } from '../../domain/run/schema-version.ts';
import type { RunSpec, RunTarget, Warmup } from '../../domain/run/spec.ts';
import { datasets } from '../datasets/registry.ts';
import { asksLength, openOf, termsOf } from '../registry-entry.ts';
import { endpointFor } from './run-endpoint.ts';
import { profiles } from '../profiles/registry.ts';

/** Where and when it runs is whoever's affair that runs it. */
type Elsewhere = 'of' | 'via' | 'api' | 'endpoint' | 'price' | 'runsOn' | 'image' | 'results' | 'schedule';

/** A benchmark as it is asked for; what is not said has the default that the docs name. */
export type Wanted = Omit<BenchmarkEntry, Elsewhere> & {
  /** A kind, or its options; absent: what the target says. */
  endpoint?: string | { kind: string } | undefined;
  /** What an hour costs, and who says so. */
  priced?: RunSpec['price'];
};

const defaultSeconds = 30;
/** So few prompts of different lengths stay in a prefix cache while they come again and again. */
const warmPrompts = 8;

/** The complete specification of a run. Throws USAGE when profile or data are not what their registries know. */
export function makeSpec(name: string, wanted: Wanted, target: RunTarget): RunSpec {
  const { ends, lacks, data: own, defaults } = termsOf(profiles, wanted.profile);
  const data = own ?? { ...(wanted.data ?? { kind: 'synthetic' }) };
  if (own !== null && (wanted.data !== undefined || wanted.maxTokens !== undefined))
    throw new BerthError('USAGE', {
      detail: `The profile ${wanted.profile.kind} has prompts and lengths of its own: leave out data and lengths.`,
      command: 'bench',
    });
  if (wanted.maxTokens !== undefined) Object.assign(data, { output: wanted.maxTokens });
  const repeated = wanted.cache === 'warm' && defaults.cache === undefined ? repeat(data) : null;
  const endpoint = endpointWanted(wanted, target);
  const unlimited = !ends && wanted.seconds === undefined && wanted.requests === undefined;
  const { generates } = endpointFor(endpoint);
  const spec: RunSpec = {
    schema: runSchema,
    name,
    target: {
      ...target,
      api: endpoint.kind,
      ...(wanted.tokenizer !== undefined && { tokenizerFile: wanted.tokenizer }),
    },
    ...(Object.keys(endpoint).length > 1 && { endpoint }),
    profile: wanted.profile,
    data,
    limits: {
      seconds: wanted.seconds ?? (unlimited ? defaultSeconds : null),
      requests: wanted.requests ?? null,
      errors: wanted.maxErrors ?? null,
      errorRate: wanted.maxErrorRate ?? null,
    },
    ...stopsOf(wanted),
    ...toldOf(wanted),
    slo: sloOf(wanted.slo),
    thresholds: wanted.thresholds ?? [],
    ...(wanted.against !== undefined && { against: wanted.against }),
    warmup: warmupOf(
      wanted.warmup,
      repeated === null ? defaults.warmup : { kind: 'requests', count: repeated },
    ),
    drainSeconds: wanted.drainSeconds ?? 60,
    timeoutSeconds: wanted.timeoutSeconds ?? 600,
    stream: generates && (wanted.stream ?? true),
    temperature: wanted.temperature ?? null,
    ignoreEos: generates && (wanted.ignoreEos ?? asksLength(datasets, data.kind)),
    cache: wanted.cache ?? defaults.cache ?? 'cold',
    seed: wanted.seed ?? 1,
    keepOutputs: wanted.keepOutputs ?? false,
    ...(wanted.records !== undefined && { records: wanted.records }),
    calibrate: wanted.calibrate ?? true,
  };
  if (typeof spec.cache !== 'string' && spec.data.kind !== 'synthetic')
    throw new BerthError('USAGE', {
      detail: `A shared part of prompts can be made of synthetic data only, not of ${spec.data.kind}.`,
      command: 'bench',
    });
  const lacking = lacks(spec);
  if (lacking !== null) throw new BerthError('USAGE', { detail: lacking, command: 'bench' });
  openOf(datasets, spec.data);
  return spec;
}

/**
 * A cache is warm when what is measured was sent before: where nobody says what prompts have in common they are so few
 * that the warm-up sends each. Says how many; null where that is up to the data, or to a profile with turns of its own.
 */
function repeat(data: Record<string, unknown>): number | null {
  if (data['kind'] !== 'synthetic' || data['samples'] !== undefined || data['prefix'] !== undefined)
    return null;
  const samples = ['prompt', 'output'].some((key) => typeof data[key] === 'object') ? warmPrompts : 1;
  Object.assign(data, { samples });
  return samples;
}

/** Throws USAGE where it is asked for what it cannot have. */
function endpointWanted({ endpoint, slo, profile }: Wanted, target: RunTarget): { kind: string } {
  const wanted = typeof endpoint === 'string' ? { kind: endpoint } : (endpoint ?? { kind: target.api });
  if (!endpointFor(wanted).generates && (slo?.ttft !== undefined || slo?.tpot !== undefined))
    throw new BerthError('USAGE', {
      detail: `Answers of ${wanted.kind} have no tokens, and so no TTFT and no TPOT: an objective of theirs is e2e.`,
      command: 'bench',
    });
  if (profile.kind === 'sessions' && !['chat', 'responses'].includes(wanted.kind))
    throw new BerthError('USAGE', {
      detail: `Conversations are held with chat or responses, not with ${wanted.kind}.`,
      command: 'bench',
    });
  return wanted;
}

function stopsOf({ stopOverSaturated, budget }: Wanted): Pick<RunSpec, 'stops'> {
  if (stopOverSaturated === undefined && budget === undefined) return {};
  if (budget?.money !== undefined && !budget.pricePerHour && !budget.pricePerMillion)
    throw new BerthError('USAGE', {
      detail: 'A budget of money wants the price of an hour of the server, or of a million tokens.',
      command: 'bench',
    });
  return {
    stops: {
      overSaturationSeconds: stopOverSaturated ?? null,
      tokens: budget?.tokens ?? null,
      money: budget?.money ?? null,
      pricePerHour: budget?.pricePerHour ?? null,
      ...(budget?.pricePerMillion && { pricePerMillion: budget.pricePerMillion }),
    },
  };
}

function toldOf({ priced, publish }: Wanted): Pick<RunSpec, 'price' | 'publish'> {
  return { ...(priced && { price: priced }), ...(publish && { publish }) };
}

function sloOf(wanted: Wanted['slo']): RunSpec['slo'] {
  if (wanted === undefined) return null;
  return { ttftMs: wanted.ttft ?? null, tpotMs: wanted.tpot ?? null, e2eMs: wanted.e2e ?? null };
}

/** Unsaid: one request for each stream, if the profile says nothing else. */
function warmupOf(wanted: Wanted['warmup'], unsaid: Warmup = { kind: 'requests', count: 1 }): Warmup {
  if (wanted === undefined) return unsaid;
  if (typeof wanted === 'number')
    return wanted === 0 ? { kind: 'none' } : { kind: 'requests', count: wanted };
  return 'seconds' in wanted
    ? { kind: 'seconds', seconds: wanted.seconds }
    : { kind: 'requests', count: wanted.requests };
}
