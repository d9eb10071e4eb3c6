import { plural } from '../../domain/format.ts';
import { cacheLabel } from '../../domain/run/cache.ts';
import type { Report } from '../../domain/run/report.ts';
import type { Distribution, StageReport } from '../../domain/run/stage-report.ts';
import { countsInputs, headlineOf, reasons } from '../../domain/strategy.ts';
import { byLoad, kneeLines } from './knee-text.ts';
import { serverLines } from './server-text.ts';
import { turnLines } from './turn-text.ts';
import { table } from '../output.ts';

/** A report for a terminal: what was measured, one row a stage, what to know about it, and where the rest is. */
export function reportText(report: Report, folder: string | null): string {
  const { spec } = report;
  const lines = [
    `${report.name}: ${report.server.model} at ${spec.target.url}`,
    loadText(report),
    '',
    table(rowsOf(report), [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    '',
    report.stages.some(countsInputs)
      ? `E2E in ms, ${clockOf(report)}; rates are those of the steady window. There are no output tokens, and so no TTFT and no ITL.`
      : `TTFT, ITL and E2E in ms, ${clockOf(report)}; tok/s are output tokens in the steady window, prompt tokens beside them.`,
  ];
  if (report.stages.some((stage) => stage.itl?.p99Reliable === false))
    lines.push('* of fewer than 100 values: hardly more than the greatest.');
  for (const stage of report.stages) lines.push(...reasoningLines(stage));
  for (const stage of report.stages)
    for (const error of stage.errors)
      lines.push(
        `${stage.label}: ${error.count} ended as ${error.outcome} (${error.example ?? 'no reason given'})`,
      );
  for (const each of report.scaling)
    if (each.streams > 1)
      lines.push(
        `${each.streams} streams give ${number(each.speedup, 2)} times the output tokens/s of one: ` +
          `efficiency ${number(each.efficiency * 100, 0)} %.`,
      );
  lines.push(...kneeLines(report), ...turnLines(report), ...serverLines(report));
  for (const stage of report.stages)
    if (stage.goodput)
      lines.push(
        `${stage.label}: ${number(stage.goodput.share * 100, 1)} % of the requests kept the objectives${stage.goodput.perSecond === null ? '' : ` (goodput ${number(stage.goodput.perSecond, 2)} req/s)`}.`,
      );
  for (const gate of report.gates)
    lines.push(
      `${gate.passed ? 'Kept' : 'Missed'}: ${gate.threshold} at ${gate.stage} (${gate.value === null ? 'not measured' : number(gate.value, gate.value < 10 ? 3 : 1)}).`,
    );
  lines.push(...costLines(report));
  const { spent } = report;
  if (spent?.money !== null && spent !== null)
    lines.push(
      `Spent: ${number(spent.money, 4)} by the prices given, on ${spent.promptTokens} prompt and ${spent.outputTokens} output tokens in ${number(spent.seconds, 0)} s, warm-up included.`,
    );
  if (report.calibration)
    lines.push(
      `The client's own error: ${number(report.calibration.errorP50Ms, 2)} ms (p50), ` +
        `${number(report.calibration.errorP99Ms, 2)} ms (p99) at ${plural(report.calibration.streams, 'stream')}.`,
    );
  for (const text of report.warnings) lines.push(`Note: ${text}`);
  if (report.clientLimited)
    lines.push('The client itself limited this run: do not take its figures for those of the server.');
  if (report.unfinished) lines.push(`Go on with it: berth bench --resume ${report.id}`);
  if (folder !== null) lines.push(`Report: ${folder}/report.html`);
  return lines.join('\n');
}

/** Of answers with reasoning: how much of them it was, and when the answer proper began. */
function reasoningLines(stage: StageReport): string[] {
  const { reasoningTokens: reasoning, outputTokens: output } = stage;
  if (!reasons(stage) || !reasoning) return [];
  const share = output === null ? '' : ` of ${number(output.mean, 0)}`;
  const { ttfot } = headlineOf(stage);
  return [
    `${stage.label}: ${number(reasoning.mean, 0)}${share} output tokens were reasoning (by ${reasoning.sources.join(' and ')}); ` +
      `first output token after it (TTFOT) ${ms(ttfot, 'p50')} ms p50, ${ms(ttfot, 'p95')} ms p95.`,
  ];
}

function clockOf(report: Report): string {
  return report.stages.some((stage) => stage.strategy.kind === 'open')
    ? `${report.stages.some(countsInputs) ? '' : 'TTFT and E2E '}from the moment a request was due`
    : 'from the last byte sent';
}

function loadText({ spec, stages }: Report): string {
  const prompt = stages[0]?.promptTokens?.mean;
  const output = stages[0]?.outputTokens?.mean;
  const sizes =
    prompt === undefined
      ? ''
      : output === undefined
        ? `${number(prompt, 0)} prompt tokens a request, `
        : `${number(prompt, 0)} prompt and ${number(output, 0)} output tokens a request, `;
  const { seconds, requests } = spec.limits;
  const limits = [
    ...(seconds === null ? [] : [`${seconds} s`]),
    ...(requests === null ? [] : [`${requests} requests`]),
  ];
  return `${sizes}${limits.join(' or ')} a stage, ${endpointText(spec)}, ${spec.stream ? 'streamed' : 'not streamed'}, prefix cache ${cacheLabel(spec.cache)}`;
}

/** "chat", "embeddings (inputs 8)". */
function endpointText({ target, endpoint }: Report['spec']): string {
  const options = Object.entries(endpoint ?? {}).filter(([name]) => name !== 'kind');
  if (options.length === 0) return target.api;
  return `${target.api} (${options.map(([name, value]) => `${name} ${String(value)}`).join(', ')})`;
}

type Column = readonly [string, (stage: StageReport) => string];

const common: readonly Column[] = [
  ['OK', ({ requests }) => String(requests.ok)],
  ['FAILED', ({ requests }) => String(requests.failed)],
];

const ofTokens: readonly Column[] = [
  ...common,
  ['TTFT p50', (stage) => ms(headlineOf(stage).ttft, 'p50')],
  ['p95', (stage) => ms(headlineOf(stage).ttft, 'p95')],
  ['ITL p50', ({ itl }) => ms(itl, 'p50')],
  ['p99', ({ itl }) => ms(itl, 'p99')],
  ['E2E p50', (stage) => ms(headlineOf(stage).e2e, 'p50')],
  ['tok/s', (stage) => rate(stage, 'outputTokensPerSecond')],
  ['prompt tok/s', (stage) => rate(stage, 'promptTokensPerSecond')],
];

/** Of embeddings and ranks, which have no tokens. */
const ofInputs: readonly Column[] = [
  ...common,
  ['E2E p50', (stage) => ms(headlineOf(stage).e2e, 'p50')],
  ['p95', (stage) => ms(headlineOf(stage).e2e, 'p95')],
  ['p99', (stage) => ms(headlineOf(stage).e2e, 'p99')],
  ['req/s', (stage) => rate(stage, 'requestsPerSecond')],
  ['inputs/s', (stage) => rate(stage, 'inputsPerSecond')],
  ['prompt tok/s', (stage) => rate(stage, 'promptTokensPerSecond')],
];

/** The header and one row a stage; what is unknown is a dash. */
function rowsOf(report: Report): string[][] {
  const columns = report.stages.some(countsInputs) ? ofInputs : ofTokens;
  const header = ['STAGE', ...columns.map(([name]) => name)];
  const rows = byLoad(report).map((stage) => [
    stage.index === report.knee?.stage ? `${stage.label} <- knee` : stage.label,
    ...columns.map(([, value]) => value(stage)),
  ]);
  return [header, ...rows];
}

function rate(stage: StageReport, key: keyof NonNullable<StageReport['steady']>): string {
  const value = (stage.steady ?? stage.overall)?.[key];
  return value == null ? '-' : number(value, 1);
}

/** A p99 of fewer than 100 values carries a mark. */
function ms(distribution: Distribution | null, key: 'p50' | 'p95' | 'p99'): string {
  if (distribution === null) return '-';
  const mark = key === 'p99' && !distribution.p99Reliable ? '*' : '';
  return `${number(distribution[key], distribution[key] < 10 ? 2 : 1)}${mark}`;
}

function number(value: number, digits: number): string {
  return value.toFixed(digits);
}

/** What the answers of a stage cost at its own rate; a price without its source is no price. */
function costLines({ spec: { price }, stages }: Report): string[] {
  if (!price) return [];
  return stages.flatMap((stage) => {
    const rate = (stage.steady ?? stage.overall)?.outputTokensPerSecond ?? null;
    if (rate === null || rate === 0) return [];
    const cost = number((price.usdPerHour / 3600 / rate) * 1e6, 2);
    return [
      `${stage.label}: ${cost} USD per million output tokens, at ${price.usdPerHour} USD an hour (${price.source}).`,
    ];
  });
}
