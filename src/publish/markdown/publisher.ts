import type { Report } from '../../domain/run/report.ts';
import type { Distribution, StageReport } from '../../domain/run/stage-report.ts';
import { countsInputs, headlineOf, reasons } from '../../domain/strategy.ts';
import type { FilePublisher } from '../contract.ts';

/** The report as a table for pull requests and wikis, with what a reader must know about it. */
export const markdown: FilePublisher<'markdown'> = {
  kind: 'markdown',
  title: 'tables for pull requests and wikis',
  fileName: 'report.md',
  contentType: 'text/markdown; charset=utf-8',
  kept: true,
  render: (report) =>
    [...head(report), ...stages(report), ...turns(report), ...gates(report), ...notes(report)].join('\n'),
};

function head({ name, server, spec, startedAt, id, environment }: Report): string[] {
  const { url, deployment } = spec.target;
  const place = deployment === null ? url : `deployment ${deployment} at ${url}`;
  return [
    `### ${plain(name)}: ${plain(server.model)}`,
    '',
    plain(`${spec.target.api} of ${place}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC, run ${id}`),
    '',
    plain(
      `Measured from ${environment.cpu}, ${environment.cores} cores, ${number(environment.memoryBytes / 2 ** 30)} GiB, ${environment.os}, by berth ${environment.berth}`,
    ),
    '',
  ];
}

type Column = readonly [string, (stage: StageReport) => string];

const ttfot: Column = ['TTFOT p50', (stage) => ms(headlineOf(stage).ttfot, 'p50')];

const ofTokens: readonly Column[] = [
  ['ok', ({ requests }) => String(requests.ok)],
  ['failed', ({ requests }) => String(requests.failed)],
  ['TTFT p50', (stage) => ms(headlineOf(stage).ttft, 'p50')],
  ['TTFT p95', (stage) => ms(headlineOf(stage).ttft, 'p95')],
  ['ITL p50', (stage) => ms(stage.itl, 'p50')],
  ['ITL p99', (stage) => ms(stage.itl, 'p99')],
  ['TPOT p50', (stage) => ms(stage.tpot, 'p50')],
  ['E2E p50', (stage) => ms(headlineOf(stage).e2e, 'p50')],
  ['output tok/s', (stage) => rate(stage, 'outputTokensPerSecond')],
  ['prompt tok/s', (stage) => rate(stage, 'promptTokensPerSecond')],
  ['req/s', (stage) => rate(stage, 'requestsPerSecond')],
];

/** Of embeddings and ranks, which have no tokens. */
const ofInputs: readonly Column[] = [
  ['ok', ({ requests }) => String(requests.ok)],
  ['failed', ({ requests }) => String(requests.failed)],
  ['E2E p50', (stage) => ms(headlineOf(stage).e2e, 'p50')],
  ['E2E p95', (stage) => ms(headlineOf(stage).e2e, 'p95')],
  ['E2E p99', (stage) => ms(headlineOf(stage).e2e, 'p99')],
  ['req/s', (stage) => rate(stage, 'requestsPerSecond')],
  ['inputs/s', (stage) => rate(stage, 'inputsPerSecond')],
  ['prompt tok/s', (stage) => rate(stage, 'promptTokensPerSecond')],
];

function columnsFor({ stages: all }: Report): readonly Column[] {
  if (all.some(countsInputs)) return ofInputs;
  return all.some(reasons) ? ofTokens.toSpliced(4, 0, ttfot) : ofTokens;
}

function stages(report: Report): string[] {
  if (report.stages.length === 0) return ['No stage was measured.', ''];
  const columns = columnsFor(report);
  const open = report.stages.some(({ strategy }) => strategy.kind === 'open');
  return [
    `| load | ${columns.map(([name]) => name).join(' | ')} |`,
    `|---|${columns.map(() => '---:|').join('')}`,
    ...report.stages.map(
      (stage) => `| ${plain(stage.label)} | ${columns.map(([, value]) => value(stage)).join(' | ')} |`,
    ),
    '',
    `Latencies in ms, ${open ? `${report.stages.some(countsInputs) ? '' : 'TTFT and E2E '}from the moment a request was due` : 'from the last byte sent'}; ± is half of a 95 % interval.`,
    '',
  ];
}

function turns(report: Report): string[] {
  const rows = report.stages.flatMap(({ label, conversations }) =>
    (conversations?.turns ?? []).map((turn) => {
      const cached = turn.cachedShare === null ? '-' : `${Math.round(turn.cachedShare * 100)} %`;
      const prompt = turn.promptTokens === null ? '-' : number(turn.promptTokens);
      const figures = [ms(turn.ttft, 'p50'), ms(turn.ttft, 'p95'), ms(turn.e2e, 'p50'), prompt, cached];
      return `| ${plain(label)} | ${turn.turn}${turn.andLater ? '+' : ''} | ${turn.ok} | ${figures.join(' | ')} |`;
    }),
  );
  if (rows.length === 0) return [];
  const names = ['turn', 'ok', 'TTFT p50', 'TTFT p95', 'E2E p50', 'prompt tokens', 'from cache'];
  return [`| load | ${names.join(' | ')} |`, `|---|${names.map(() => '---:|').join('')}`, ...rows, ''];
}

function gates({ gates: found }: Report): string[] {
  if (found.length === 0) return [];
  const rows = found.map(
    ({ stage, threshold, value, passed }) =>
      `| ${plain(stage)} | ${plain(threshold)} | ${value === null ? 'not measured' : number(value)} | ${passed ? 'kept' : '**missed**'} |`,
  );
  return ['| load | threshold | measured | verdict |', '|---|---|---:|---|', ...rows, ''];
}

function notes(report: Report): string[] {
  const limited = report.clientLimited
    ? ['- **The client itself limited this run: do not take its figures for those of the server.**']
    : [];
  const errors = report.stages.flatMap((stage) =>
    stage.errors.map(
      (error) =>
        `- ${plain(stage.label)}: ${error.count} ended as ${error.outcome} (${plain(error.example ?? 'no reason given')})`,
    ),
  );
  const scaling = report.scaling
    .filter(({ streams }) => streams > 1)
    .map(
      ({ streams, speedup, efficiency }) =>
        `- ${streams} streams give ${number(speedup)} times the output tokens/s of one: efficiency ${number(efficiency * 100)} %`,
    );
  const lines = [...limited, ...scaling, ...errors, ...report.warnings.map((text) => `- ${plain(text)}`)];
  return lines.length === 0 ? [] : [...lines, ''];
}

function ms(distribution: Distribution | null, key: 'p50' | 'p95' | 'p99'): string {
  if (distribution === null) return '–';
  const mark = key === 'p99' && !distribution.p99Reliable ? ' (n < 100)' : '';
  const interval = distribution.interval[key];
  const spread = interval === null ? '' : ` ± ${number((interval[1] - interval[0]) / 2)}`;
  return `${number(distribution[key])}${spread}${mark}`;
}

function rate(stage: StageReport, key: keyof NonNullable<StageReport['steady']>): string {
  const value = (stage.steady ?? stage.overall)?.[key];
  return value === undefined || value === null ? '–' : number(value);
}

function number(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** Text from outside, so that it stays text: neither markup nor an end of its cell. */
function plain(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\`*_[\]<>|#~]/g, (found) => `\\${found}`)
    .replaceAll('&', '&amp;');
}
