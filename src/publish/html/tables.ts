import type { Report } from '../../domain/run/report.ts';
import type { Distribution, StageReport } from '../../domain/run/stage-report.ts';
import { countsInputs, reasons } from '../../domain/strategy.ts';
import { escape, figure } from './markup.ts';

/** One row a stage: what was asked, what came, how fast. */
export function throughputTable(report: Report): string {
  const head = [
    'Stage',
    'Ok',
    'Failed',
    'Cut',
    'Output tok/s',
    'Prompt tok/s',
    'Both',
    'Requests/s',
    ...(report.stages.some(countsInputs) ? ['Inputs/s'] : []),
    'Whole run, output tok/s',
    'Speed-up',
    'Efficiency',
    'Goodput',
    'Starts dropped',
  ];
  const rows = report.stages.map((stage) => {
    const scaling = report.scaling.find((each) => each.stage === stage.index);
    const rate = stage.steady;
    return [
      escape(stage.label),
      String(stage.requests.ok),
      String(stage.requests.failed),
      String(stage.requests.censored),
      figure(rate?.outputTokensPerSecond),
      figure(rate?.promptTokensPerSecond),
      figure(rate?.totalTokensPerSecond),
      figure(rate?.requestsPerSecond),
      ...(report.stages.some(countsInputs) ? [figure(rate?.inputsPerSecond)] : []),
      figure(stage.overall?.outputTokensPerSecond),
      scaling ? `${scaling.speedup.toFixed(2)}` : '–',
      scaling ? `${Math.round(scaling.efficiency * 100)} %` : '–',
      stage.goodput ? `${Math.round(stage.goodput.share * 100)} %` : '–',
      stage.openLoop?.dropped == null ? '–' : String(stage.openLoop.dropped),
    ];
  });
  return table(head, rows);
}

const latencies = [
  ['TTFT', 'ttft'],
  ['TTFT from due', 'ttftScheduled'],
  ['TTFOT', 'ttfot'],
  ['TTFOT from due', 'ttfotScheduled'],
  ['ITL', 'itl'],
  ['TPOT', 'tpot'],
  ['E2E', 'e2e'],
  ['E2E from due', 'e2eScheduled'],
] as const;

/** Every distribution of every stage, with its size and, below p50 and mean, their intervals. */
export function latencyTable(report: Report): string {
  const head = ['Latency in ms', 'Stage', 'n', 'Mean', 'p50', 'p90', 'p95', 'p99', 'Max'];
  const rows = latencies.flatMap(([name, key]) =>
    report.stages
      // In a closed loop a request is due when it is sent.
      .filter(({ strategy }) => strategy.kind === 'open' || !name.endsWith('due'))
      .filter((stage) => !name.startsWith('TTFOT') || reasons(stage))
      .map((stage) => [name, escape(stage.label), ...distributionCells(stage[key] ?? null)]),
  );
  return table(head, rows);
}

function distributionCells(distribution: Distribution | null): string[] {
  if (distribution === null) return Array.from({ length: 7 }, () => '–');
  const { interval, p99Reliable } = distribution;
  return [
    distribution.n.toLocaleString('en-US'),
    figure(distribution.mean) + intervalText(interval.mean),
    figure(distribution.p50) + intervalText(interval.p50),
    figure(distribution.p90),
    figure(distribution.p95) + intervalText(interval.p95),
    figure(distribution.p99) + (p99Reliable ? intervalText(interval.p99) : '<small>n &lt; 100</small>'),
    figure(distribution.max),
  ];
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval ? `<small>${figure(interval[0])} to ${figure(interval[1])}</small>` : '';
}

/** Conversations turn by turn; empty where requests are no turns. */
export function turnsTable(report: Report): string {
  const rows = report.stages.flatMap(({ label, conversations }) =>
    (conversations?.turns ?? []).map((turn) => [
      escape(label),
      `${turn.turn}${turn.andLater ? ' and later' : ''}`,
      String(turn.ok),
      figure(turn.ttft?.p50) + intervalText(turn.ttft?.interval.p50 ?? null),
      figure(turn.ttft?.p95),
      figure(turn.e2e?.p50),
      figure(turn.promptTokens),
      turn.cachedShare === null ? '–' : `${Math.round(turn.cachedShare * 100)} %`,
    ]),
  );
  if (rows.length === 0) return '';
  const head = [
    'Stage',
    'Turn',
    'Ok',
    'TTFT p50, ms',
    'TTFT p95',
    'E2E p50, ms',
    'Prompt tokens',
    'From cache',
  ];
  return `<h2>Conversations</h2>${table(head, rows)}`;
}

/** Every threshold at every stage; empty when none was set. */
export function gatesTable(report: Report): string {
  if (report.gates.length === 0) return '';
  const rows = report.gates.map((gate) => [
    escape(gate.stage),
    escape(gate.threshold),
    gate.value === null ? 'not measured' : figure(gate.value),
    gate.passed ? 'kept' : '<b>missed</b>',
  ]);
  return `<h2>Thresholds</h2>${table(['Stage', 'Threshold', 'Measured', 'Verdict'], rows, 'words')}`;
}

/** Counts of tokens and what the engine and the client say of themselves. */
export function checksTable(report: Report): string {
  const head = [
    'Stage',
    'Prompt tokens',
    'Cached',
    'Output tokens',
    'Of reasoning',
    'Counted by',
    'Engine counted',
    'Tokens an event',
    'Stalls',
    'Client lag p99, ms',
    'Client loop p99, ms',
    'Client CPU',
  ];
  return table(head, report.stages.map(checkCells));
}

function checkCells(stage: StageReport): string[] {
  const { engine, client } = stage;
  const agreed = engine?.agrees === null || !engine ? '–' : engine.agrees ? 'the same' : 'otherwise';
  return [
    escape(stage.label),
    spread(stage.promptTokens),
    stage.cachedTokens === null ? '–' : stage.cachedTokens.toLocaleString('en-US'),
    spread(stage.outputTokens),
    spread(stage.reasoningTokens ?? null),
    escape(stage.outputTokens?.sources.join(', ') ?? '–'),
    agreed,
    figure(stage.tokensPerEvent),
    stage.stalls ? String(stage.stalls.count) : '–',
    figure(client.lagP99Ms),
    figure(client.loopDelayP99Ms),
    client.cpuShare === null ? '–' : `${Math.round(client.cpuShare * 100)} %`,
  ];
}

function spread(totals: StageReport['promptTokens']): string {
  if (!totals) return '–';
  const each = totals.min === totals.max ? `${totals.min} each` : `${totals.min} to ${totals.max}`;
  return `${totals.sum.toLocaleString('en-US')}<small>${each}</small>`;
}

export function errorTable(report: Report): string {
  const rows = report.stages.flatMap((stage) =>
    stage.errors.map((error) => [
      escape(stage.label),
      escape(error.outcome),
      String(error.count),
      escape(error.example ?? ''),
    ]),
  );
  return rows.length === 0
    ? ''
    : `<h2>Faults</h2>${table(['Stage', 'Class', 'Count', 'Example'], rows, 'words')}`;
}

/** Cells are markup already. Numbers stand to the right, words to the left. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  of: 'numbers' | 'words' = 'numbers',
): string {
  const headRow = `<tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join('')}</tr>`;
  const bodyRows = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`);
  return `<div class="scroll"><table class="${of}"><thead>${headRow}</thead><tbody>${bodyRows.join('')}</tbody></table></div>`;
}
