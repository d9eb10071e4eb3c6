import type { Report } from '../../domain/run/report.ts';
import type { StageReport } from '../../domain/run/stage-report.ts';
import { formatBytes } from '../../domain/format.ts';

/** What was seen of the server, a line a stage that names only what it told; then what it is. */
export function serverLines(report: Report): string[] {
  const lines = report.stages.flatMap((stage) => {
    const told = stageParts(stage);
    return told.length === 0 ? [] : [`${stage.label}, on the server: ${told.join(', ')}.`];
  });
  const { engine } = report.server;
  if (engine?.version)
    lines.push(
      `Engine: ${engine.kind} ${engine.version}${engine.slots ? `, ${engine.slots} slots` : ''}${engine.context ? `, context ${engine.context}` : ''}.`,
    );
  return lines;
}

function stageParts({ server }: StageReport): string[] {
  if (!server) return [];
  const { running, waiting, kvUse, preemptions, prefixHitShare, process, gpus, joulesPerOutputToken } =
    server;
  const parts: (string | null)[] = [
    running && `${number(running.mean)} running`,
    waiting && `${number(waiting.mean)} waiting (at most ${number(waiting.max)})`,
    kvUse && `KV cache ${percent(kvUse.max)} full at most`,
    preemptions === null ? null : `${preemptions} preempted`,
    prefixHitShare === null ? null : `${percent(prefixHitShare)} of the prompts from its prefix cache`,
    process?.cores == null ? null : `${number(process.cores)} cores`,
    process?.rssMaxBytes == null ? null : `${formatBytes(process.rssMaxBytes)} of memory`,
    ...gpus.map(
      ({ name, gpu, utilization, watts }) =>
        `${name ?? gpu}${utilization ? ` ${percent(utilization.mean)} busy` : ''}${watts ? ` at ${number(watts.mean)} W` : ''}`,
    ),
    joulesPerOutputToken === null ? null : `${joulesPerOutputToken.toPrecision(3)} J an output token`,
    server.restarted ? 'started anew meanwhile, so its totals are unknown' : null,
  ];
  return parts.filter((part) => part !== null);
}

function number(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
