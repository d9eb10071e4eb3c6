import type { Report } from '../../domain/run/report.ts';
import type { Distribution, StageReport } from '../../domain/run/stage-report.ts';
import type { Property } from './client.ts';

/** Keys of ours; all others are of somebody else and stay. */
export const prefix = 'berth.';

type Figures = Record<string, Property>;

/** Empty for what was not measured: an absent figure is absent, never 0. */
function number(name: string, value: number | null | undefined): Figures {
  if (value === null || value === undefined || !Number.isFinite(value)) return {};
  return { [`${prefix}${name}`]: { metadataType: 'MetadataDoubleValue', double_value: value } };
}

function text(name: string, value: string | null | undefined): Figures {
  if (!value) return {};
  return { [`${prefix}${name}`]: { metadataType: 'MetadataStringValue', string_value: value } };
}

function latency(name: string, distribution: Distribution | null): Figures {
  return {
    ...number(`${name}_p50_ms`, distribution?.p50),
    ...number(`${name}_p90_ms`, distribution?.p90),
    ...number(`${name}_p99_ms`, distribution?.p99Reliable ? distribution.p99 : null),
  };
}

function rates(stage: StageReport): { output: number | null; total: number | null; requests: number | null } {
  const seen = stage.steady ?? stage.overall;
  return {
    output: seen?.outputTokensPerSecond ?? null,
    total: seen?.totalTokensPerSecond ?? null,
    requests: seen?.requestsPerSecond ?? null,
  };
}

/** The stage with the most output tokens a second, of those that were not cut short; null: nothing was measured. */
export function bestStage({ stages }: Report): StageReport | null {
  const measured = stages.filter((stage) => stage.requests.ok > 0 && rates(stage).requests !== null);
  const sorted = measured.toSorted(
    (a, b) => (rates(b).output ?? rates(b).requests ?? 0) - (rates(a).output ?? rates(a).requests ?? 0),
  );
  return sorted[0] ?? null;
}

/** What a version is told of its best stage. Numbers are numbers, so that the registry can search by them. */
export function versionFigures(report: Report, stage: StageReport, reportUri: string | null): Figures {
  const { output, total, requests } = rates(stage);
  const price = report.spec.price;
  return {
    ...text('level', stage.label),
    ...latency('ttft', stage.ttft),
    ...latency('itl', stage.itl),
    ...latency('e2e', stage.e2e),
    ...number('output_tokens_per_second', output),
    ...number('total_tokens_per_second', total),
    ...number('requests_per_second', requests),
    ...number('price_usd_per_hour', price?.usdPerHour),
    ...text('price_source', price?.source),
    ...number(
      'cost_usd_per_1m_output_tokens',
      price && output ? (price.usdPerHour / 3600 / output) * 1e6 : null,
    ),
    ...text('engine', report.spec.target.engine),
    ...text('server', report.server.server),
    ...text('tool_version', `berth ${report.environment.berth}`),
    ...text('run_id', report.id),
    ...text('run_at', report.startedAt),
    ...text('report_uri', reportUri),
    ...text('client_limited', report.clientLimited ? 'yes' : null),
  };
}

/** Every stage, by its number: what the artifact of a run holds. */
export function stageFigures({ stages }: Report): Figures {
  return Object.assign(
    {},
    ...stages.map((stage) => {
      const { output, total, requests } = rates(stage);
      const key = `stage${stage.index}`;
      return {
        ...text(`${key}.load`, stage.label),
        ...latency(`${key}.ttft`, stage.ttft),
        ...latency(`${key}.itl`, stage.itl),
        ...latency(`${key}.e2e`, stage.e2e),
        ...number(`${key}.output_tokens_per_second`, output),
        ...number(`${key}.total_tokens_per_second`, total),
        ...number(`${key}.requests_per_second`, requests),
        ...number(`${key}.requests_failed`, stage.requests.failed),
      };
    }),
  ) as Figures;
}

const begin = '<!-- berth -->';
const end = '<!-- /berth -->';

/** The description with our part in its place; the rest stays as it was. */
export function describedWith(before: string, report: Report, stage: StageReport): string {
  const { output, requests } = rates(stage);
  const words = [
    `Measured ${report.startedAt.slice(0, 10)} by berth ${report.environment.berth} (${report.id}), best at ${stage.label}:`,
    output === null ? null : `${output.toFixed(1)} output tokens/s`,
    requests === null ? null : `${requests.toFixed(2)} requests/s`,
    stage.ttft === null ? null : `TTFT p50 ${stage.ttft.p50.toFixed(0)} ms`,
    stage.itl === null ? null : `ITL p50 ${stage.itl.p50.toFixed(1)} ms`,
  ];
  const ours = `${begin}\n${words.filter((one) => one !== null).join('\n- ')}\n${end}`;
  const [head, tail] = [before.indexOf(begin), before.indexOf(end)];
  if (head >= 0 && tail > head) return before.slice(0, head) + ours + before.slice(tail + end.length);
  return before === '' ? ours : `${before}\n\n${ours}`;
}
