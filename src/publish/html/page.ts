import { plural } from '../../domain/format.ts';
import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { cacheLabel } from '../../domain/run/cache.ts';
import { eachLoad, levelLabel } from '../../domain/run/knee.ts';
import { countsInputs, headlineOf, reasons, streamsOf } from '../../domain/strategy.ts';
import { barChart, rangeChart } from './charts.ts';
import { escape, figure } from './markup.ts';
import { engineRows, serverSection } from './server.ts';
import { overTime } from './over-time.ts';
import { style } from './style.ts';
import { checksTable, errorTable, gatesTable, latencyTable, throughputTable, turnsTable } from './tables.ts';

/** The page of a report: it loads nothing, runs nothing, and carries the report's JSON for other programs. */
export function page(report: Report): string {
  const title = `${report.name}: ${report.server.model}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
<p class="lead">${escape(leadOf(report))}</p>
${notes(report)}
${tiles(report)}
${kneeOf(report)}
<h2>Under load</h2>
<div class="charts">${charts(report)}</div>
${overTime(report)}
${serverSection(report)}
<h2>Throughput</h2>
${throughputTable(report)}
<h2>Latencies</h2>
${latencyTable(report)}
<p class="lead">Small figures are 95 % intervals; there are none where the sample is too short for them.</p>
${turnsTable(report)}
${errorTable(report)}
${gatesTable(report)}
<h2>Tokens, engine and client</h2>
${checksTable(report)}
<h2>Circumstances</h2>
${circumstances(report)}
<h2>What the figures mean</h2>
${pairs(Object.entries(report.definitions))}
</main>
<script type="application/json" id="report">${JSON.stringify(report).replaceAll('<', '\\u003c')}</script>
</body>
</html>
`;
}

function leadOf({ spec, startedAt }: Report): string {
  const place = spec.target.deployment ? `deployment ${spec.target.deployment} at ` : '';
  return `${place}${spec.target.url}, ${startedAt.slice(0, 16).replace('T', ' ')} UTC`;
}

function notes(report: Report): string {
  const limited = report.clientLimited
    ? [
        '<p class="note bad">The client itself limited this run: do not take its figures for those of the server.</p>',
      ]
    : [];
  return [...limited, ...report.warnings.map((text) => `<p class="note">${escape(text)}</p>`)].join('\n');
}

/** What a sweep found, and every load with what it missed. */
function kneeOf({ knee }: Report): string {
  if (!knee) return '';
  const found =
    knee.level === null
      ? `None of the loads kept ${knee.keep.join(', ')}.`
      : `${levelLabel(knee.over, knee.level)} is the highest load that kept ${knee.keep.join(', ')}.`;
  const rows = eachLoad(knee).map(({ level, kept, reasons, unsure = [] }) => {
    const doubt = kept && unsure.length > 0 ? `kept, but not surely: ${unsure.join('; ')}` : 'kept';
    return `<li>${escape(levelLabel(knee.over, level))}: ${escape(kept ? doubt : reasons.join('; '))}</li>`;
  });
  return `<h2>Knee</h2><p class="lead">${escape(found)}</p><ul>${rows.join('')}</ul>`;
}

type Tile = readonly [value: string, text: string];

/** The headline of the first and the fastest stage. */
function tiles(report: Report): string {
  const first = report.stages[0];
  if (!first) return '<p class="lead">No stage was measured.</p>';
  const fastest = report.stages.reduce((best, stage) => (rateOf(stage) > rateOf(best) ? stage : best), first);
  const answer: Tile = [figure(headlineOf(first).e2e?.p50), `ms for an answer (p50) at ${first.label}`];
  const shown: Tile[] = countsInputs(fastest)
    ? [
        [figure(rateOf(fastest)), `inputs/s at ${fastest.label}`],
        [figure((fastest.steady ?? fastest.overall)?.promptTokensPerSecond), 'prompt tokens/s there'],
        answer,
        [figure(headlineOf(first).e2e?.p95), `ms for an answer (p95) at ${first.label}`],
      ]
    : [
        [figure(rateOf(fastest)), `output tokens/s at ${fastest.label}`],
        [figure(headlineOf(first).ttft?.p50), `ms to the first token (p50) at ${first.label}`],
        [figure(first.itl?.p50), `ms between tokens (p50) at ${first.label}`],
        answer,
      ];
  const cells = shown.map(
    ([value, text]) => `<div class="tile"><b>${value}</b><span>${escape(text)}</span></div>`,
  );
  return `<div class="tiles">${cells.join('')}</div>`;
}

/** What the endpoint gives: output tokens, or what it has for each of its texts. */
function rateOf(stage: StageReport): number {
  const rates = stage.steady ?? stage.overall;
  return (countsInputs(stage) ? rates?.inputsPerSecond : rates?.outputTokensPerSecond) ?? 0;
}

/** What the stage would give if it scaled without loss; null where that has no meaning. */
function idealOf(single: StageReport | undefined, stage: StageReport): number | null {
  const streams = streamsOf(stage.strategy);
  return single && stage !== single && streams !== null ? rateOf(single) * streams : null;
}

function charts(report: Report): string {
  const single = report.stages.find((stage) => streamsOf(stage.strategy) === 1);
  const bars = report.stages.map((stage) => ({
    label: stage.label,
    value: rateOf(stage),
    ideal: idealOf(single, stage),
  }));
  const ranges = (['ttft', 'ttfot', 'itl', 'e2e'] as const).map((key) =>
    report.stages.flatMap((stage) => {
      if (key === 'ttfot' && !reasons(stage)) return [];
      const found = { ...stage, ...headlineOf(stage) }[key];
      return found
        ? [
            {
              label: stage.label,
              p50: found.p50,
              p95: found.p95,
              p99: found.p99,
              interval: found.interval.p50,
            },
          ]
        : [];
    }),
  );
  const [ttft = [], ttfot = [], itl = [], e2e = []] = ranges;
  return [
    report.stages.some(countsInputs)
      ? barChart('Inputs per second (dashed: linear)', 'inputs/s', bars)
      : barChart('Output tokens per second (dashed: linear)', 'tok/s', bars),
    ...(ttft.length > 0 ? [rangeChart('Time to first token: p50, p95, p99', 'ms', ttft)] : []),
    ...(ttfot.length > 0 ? [rangeChart('First token after reasoning: p50, p95, p99', 'ms', ttfot)] : []),
    ...(itl.length > 0 ? [rangeChart('Gap between tokens: p50, p95, p99', 'ms', itl)] : []),
    ...(e2e.length > 0 ? [rangeChart('Whole answer: p50, p95, p99', 'ms', e2e)] : []),
  ].join('');
}

function circumstances(report: Report): string {
  const { environment, server, spec, calibration } = report;
  return pairs([
    ['Model', server.model],
    ['Engine', spec.target.engine ?? server.server ?? 'unknown'],
    ...engineRows(server.engine),
    ['Endpoint', endpointText(spec)],
    ['Load', `${spec.profile.kind}, ${JSON.stringify(spec.data)}`],
    ['Prompt lengths', server.tokenizer ?? "not made exact; the server's own counts are shown"],
    [
      'Chat template',
      server.templateTokens === null ? 'unknown' : `${server.templateTokens} tokens, counted in`,
    ],
    ['Prefix cache', cacheLabel(spec.cache)],
    ['Seed', String(spec.seed)],
    [
      "Client's own error",
      calibration
        ? `${figure(calibration.errorP50Ms)} ms (p50), ${figure(calibration.errorP99Ms)} ms (p99) at ${plural(calibration.streams, 'stream')}`
        : 'not measured',
    ],
    ['Client', `${environment.cpu}, ${environment.cores} cores, ${environment.os}`],
    ['Made by', `berth ${environment.berth} on Node ${environment.node}`],
    ['Run', report.id],
  ]);
}

function endpointText({ target, endpoint }: Report['spec']): string {
  return endpoint === undefined ? target.api : `${target.api}, ${JSON.stringify(endpoint)}`;
}

function pairs(entries: readonly (readonly [string, string])[]): string {
  const cells = entries.map(([name, text]) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`);
  return `<dl>${cells.join('')}</dl>`;
}
