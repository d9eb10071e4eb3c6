import type { Report } from '../../domain/run/report.ts';
import type { Distribution, StageReport } from '../../domain/run/stage-report.ts';
import { streamsOf, strategyLabel } from '../../domain/strategy.ts';
import type { FilePublisher } from '../contract.ts';

type Cell = string | number | null;
type Column = readonly [name: string, value: (report: Report, stage: StageReport) => Cell];

const general: readonly Column[] = [
  ['run_id', (report) => report.id],
  ['started_at', (report) => report.startedAt],
  ['url', (report) => report.spec.target.url],
  ['model', (report) => report.server.model],
  ['endpoint', (report) => report.spec.target.api],
  ['stage', (_report, stage) => stage.index],
  ['load', (_report, stage) => strategyLabel(stage.strategy)],
  ['streams', (_report, stage) => streamsOf(stage.strategy)],
  ['scheduled_per_second', (_report, stage) => stage.openLoop?.scheduledPerSecond ?? null],
  ['started_per_second', (_report, stage) => stage.openLoop?.startedPerSecond ?? null],
  ['starts_dropped', (_report, stage) => stage.openLoop?.dropped ?? null],
  ['requests_ok', (_report, stage) => stage.requests.ok],
  ['requests_failed', (_report, stage) => stage.requests.failed],
  ['requests_censored', (_report, stage) => stage.requests.censored],
  ['requests_warmup', (_report, stage) => stage.requests.warmup],
  ['prompt_tokens', (_report, stage) => stage.promptTokens?.sum ?? null],
  ['output_tokens', (_report, stage) => stage.outputTokens?.sum ?? null],
  ['reasoning_tokens', (_report, stage) => stage.reasoningTokens?.sum ?? null],
  ['output_tokens_source', (_report, stage) => stage.outputTokens?.sources.join(' ') ?? null],
  ['tokens_per_event', (_report, stage) => stage.tokensPerEvent],
  ['steady_seconds', (_report, stage) => stage.steady?.seconds ?? null],
  ['steady_output_tokens_per_second', (_report, stage) => stage.steady?.outputTokensPerSecond ?? null],
  ['steady_prompt_tokens_per_second', (_report, stage) => stage.steady?.promptTokensPerSecond ?? null],
  ['steady_total_tokens_per_second', (_report, stage) => stage.steady?.totalTokensPerSecond ?? null],
  ['steady_requests_per_second', (_report, stage) => stage.steady?.requestsPerSecond ?? null],
  ['steady_inputs_per_second', (_report, stage) => stage.steady?.inputsPerSecond ?? null],
  ['overall_inputs_per_second', (_report, stage) => stage.overall?.inputsPerSecond ?? null],
  ['overall_seconds', (_report, stage) => stage.overall?.seconds ?? null],
  ['overall_output_tokens_per_second', (_report, stage) => stage.overall?.outputTokensPerSecond ?? null],
  ['overall_total_tokens_per_second', (_report, stage) => stage.overall?.totalTokensPerSecond ?? null],
  ['overall_requests_per_second', (_report, stage) => stage.overall?.requestsPerSecond ?? null],
  ['speedup', (report, stage) => scaling(report, stage)?.speedup ?? null],
  ['efficiency', (report, stage) => scaling(report, stage)?.efficiency ?? null],
  ['goodput_share', (_report, stage) => stage.goodput?.share ?? null],
  ['goodput_requests_per_second', (_report, stage) => stage.goodput?.perSecond ?? null],
  ['stalls', (_report, stage) => stage.stalls?.count ?? null],
  ['settled_cut_seconds', (_report, stage) => stage.settled?.cutSeconds ?? null],
  ['settled_output_tokens_per_second', (_report, stage) => stage.settled?.outputTokensPerSecond ?? null],
  ['server_running_mean', (_report, stage) => stage.server?.running?.mean ?? null],
  ['server_waiting_mean', (_report, stage) => stage.server?.waiting?.mean ?? null],
  ['server_kv_use_max', (_report, stage) => stage.server?.kvUse?.max ?? null],
  ['server_preemptions', (_report, stage) => stage.server?.preemptions ?? null],
  ['server_prefix_hit_share', (_report, stage) => stage.server?.prefixHitShare ?? null],
  ['server_cores_mean', (_report, stage) => stage.server?.process?.cores ?? null],
  ['server_rss_max_bytes', (_report, stage) => stage.server?.process?.rssMaxBytes ?? null],
  ['server_joules_per_output_token', (_report, stage) => stage.server?.joulesPerOutputToken ?? null],
  ['client_lag_p99_ms', (_report, stage) => stage.client.lagP99Ms],
  ['client_limited', (_report, stage) => String(stage.client.limited)],
];

const distributions = [
  ['ttft', 'ttft'],
  ['ttft_scheduled', 'ttftScheduled'],
  ['ttfot', 'ttfot'],
  ['ttfot_scheduled', 'ttfotScheduled'],
  ['itl', 'itl'],
  ['itl_mean_per_request', 'itlMeanPerRequest'],
  ['tpot', 'tpot'],
  ['e2e', 'e2e'],
  ['e2e_scheduled', 'e2eScheduled'],
] as const;
const fields = ['n', 'mean', 'stddev', 'min', 'p50', 'p90', 'p95', 'p99', 'max'] as const;

const columns: readonly Column[] = [
  ...general,
  ...distributions.flatMap(([name, key]) => columnsOf(name, key)),
];

function columnsOf(name: string, key: (typeof distributions)[number][1]): Column[] {
  const plain = fields.map((field): Column => [
    field === 'n' ? `${name}_n` : `${name}_${field}_ms`,
    (_report, stage) => distribution(stage, key)?.[field] ?? null,
  ]);
  const low: Column = [
    `${name}_p50_low_ms`,
    (_report, stage) => distribution(stage, key)?.interval.p50?.[0] ?? null,
  ];
  const high: Column = [
    `${name}_p50_high_ms`,
    (_report, stage) => distribution(stage, key)?.interval.p50?.[1] ?? null,
  ];
  return [...plain, low, high];
}

function distribution(stage: StageReport, key: (typeof distributions)[number][1]): Distribution | null {
  return stage[key] ?? null;
}

function scaling(report: Report, stage: StageReport): { speedup: number; efficiency: number } | undefined {
  return report.scaling.find((each) => each.stage === stage.index);
}

/** RFC 4180; what is unknown is empty, never 0. A text that a spreadsheet would take for a formula is disarmed. */
function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return String(cell);
  const text = /^[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One row a stage, units in the names of the columns. */
export const csv: FilePublisher<'csv'> = {
  kind: 'csv',
  title: 'one row a stage, units in the column names',
  fileName: 'report.csv',
  contentType: 'text/csv',
  kept: true,
  render: (report) => {
    const rows = report.stages.map((stage) => columns.map(([, value]) => cellText(value(report, stage))));
    return [columns.map(([name]) => name), ...rows].map((row) => `${row.join(',')}\r\n`).join('');
  },
};
