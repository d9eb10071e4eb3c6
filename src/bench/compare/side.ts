import type { ForeignRun } from '../../domain/run/foreign-run.ts';
import { cacheLabel } from '../../domain/run/cache.ts';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import { soundStages } from './sound-stages.ts';
import type { Report } from '../../domain/run/report.ts';
import { foreignFigures } from './foreign-figures.ts';
import { figuresOf } from './metrics.ts';
import type { Measured } from './metrics.ts';

export interface Run {
  readonly report: Report;
  readonly records: readonly RequestRecord[];
}

export interface SideStage {
  readonly label: string;
  /** Mean tokens of a request; null: unknown. */
  readonly promptTokens: number | null;
  readonly outputTokens: number | null;
  /** Resampled from the seed. */
  readonly figures: (seed: number) => Measured[];
}

/** One of the runs of a comparison, whoever measured it. */
export interface Side {
  readonly id: string;
  /** Null: berth's own, so that it can be held to all the rules. */
  readonly tool: string | null;
  readonly clientLimited: boolean;
  readonly seed: number;
  /** What makes the work equal; null: unknown. */
  readonly work: Readonly<Record<string, string | null>>;
  readonly definitions: Readonly<Record<string, string>>;
  /** What may differ on purpose. */
  readonly setting: Readonly<Record<string, string | null>>;
  readonly notes: readonly string[];
  readonly stages: readonly SideStage[];
}

export function ownSide({ report, records }: Run): Side {
  const { spec, server, environment } = report;
  const sources = new Set(report.stages.flatMap((stage) => stage.outputTokens?.sources ?? []));
  return {
    id: report.id,
    tool: null,
    clientLimited: report.clientLimited,
    seed: spec.seed,
    work: {
      ...plannedWork(spec),
      'output tokens counted by': [...sources].join(' and ') || null,
    },
    definitions: report.definitions,
    setting: {
      server: server.server,
      model: server.model,
      URL: spec.target.url,
      'CPU of the client': environment.cpu,
      berth: environment.berth,
    },
    notes: [],
    stages: soundStages(report).map((stage) => ({
      label: stage.label,
      promptTokens: stage.promptTokens?.mean ?? null,
      outputTokens: stage.outputTokens?.mean ?? null,
      figures: (seed) =>
        figuresOf(
          stage,
          records.filter((record) => record.stage === stage.index),
          seed,
        ),
    })),
  };
}

/** What of the work is known before it is done. */
export function plannedWork(spec: RunSpec): Record<string, string> {
  return {
    API: spec.target.api,
    ...(spec.endpoint && { endpoint: JSON.stringify(spec.endpoint) }),
    streaming: String(spec.stream),
    'prefix cache': cacheLabel(spec.cache),
    temperature: String(spec.temperature),
    ignore_eos: String(spec.ignoreEos),
  };
}

export function foreignSide(run: ForeignRun): Side {
  return {
    id: run.name,
    tool: run.tool,
    clientLimited: false,
    seed: 1,
    work: {
      API: run.api,
      streaming: run.streamed === null ? null : String(run.streamed),
      'prefix cache': null,
      temperature: null,
      ignore_eos: null,
      'output tokens counted by': run.tokensSource,
    },
    definitions: {},
    setting: { model: run.model, URL: run.url },
    notes: run.notes.map((note) => `${run.tool}: ${note}`),
    stages: run.stages.map((stage) => ({
      label: stage.label,
      promptTokens: stage.promptTokens,
      outputTokens: stage.outputTokens,
      figures: (seed) => foreignFigures(stage, seed),
    })),
  };
}
