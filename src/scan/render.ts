import { formatAge, formatBytes, plural } from '../domain/format.ts';
import { usableCores } from '../domain/hardware.ts';
import type { Hardware } from '../domain/hardware.ts';
import type { ScanReport, ScannedServer } from '../domain/scan-report.ts';
import { modelName, ownerName, placeOf } from '../domain/audit/server-words.ts';

type Table = (rows: readonly (readonly string[])[], right?: readonly number[]) => string;

/** The report for people: what runs, what is wrong with it, what could not be seen, what to do next. */
export function renderScan(report: ScanReport, table: Table): string {
  return [
    ...(report.servers.length === 0 ? nothing(report) : [servers(report, table)]),
    ...report.findings.map(
      (finding) =>
        `${finding.severity}: ${finding.object}: ${finding.message}\n` +
        `${finding.evidence.map((line) => `    ${line}\n`).join('')}    Cure: ${finding.cure}`,
    ),
    hardwareLine(report.hardware),
    ...hidden(report),
    next(report),
  ].join('\n\n');
}

function servers(report: ScanReport, table: Table): string {
  const at = Date.parse(report.at);
  const withGpu = report.servers.some((server) => server.gpuBytes !== null);
  const rows = report.servers.flatMap((server) => [
    row(server, at, withGpu),
    ...server.children.map((child) => [
      `  ${child.engine}`,
      child.model === null ? '-' : (child.model.split('/').at(-1) ?? ''),
      `process ${child.pid}`,
      child.ports.map((port) => `:${port}`).join(' ') || '-',
    ]),
  ]);
  const head = [
    'ENGINE',
    'MODEL',
    'STARTED BY',
    'LISTENS ON',
    'STATE',
    'MEMORY',
    ...(withGpu ? ['GPU'] : []),
    'SINCE',
  ];
  return `${plural(report.servers.length, 'model server')} on this machine.\n\n${table([head, ...rows])}`;
}

function row(server: ScannedServer, at: number, withGpu: boolean): string[] {
  return [
    server.engine,
    modelName(server),
    ownerName(server),
    placeOf(server),
    server.state,
    memory(server),
    ...(withGpu ? [formatBytes(server.gpuBytes)] : []),
    formatAge(at - Date.parse(server.startedAt)),
  ];
}

/** Mapped weights count as resident but can be dropped and shared, so they are named apart. */
function memory(server: ScannedServer): string {
  const file = server.rssFileBytes ?? 0;
  const whole = formatBytes(server.rssBytes);
  return file > 256 * 1024 * 1024 ? `${whole} (${formatBytes(file)} mapped)` : whole;
}

function nothing({ looked, hidden: kept }: ScanReport): string[] {
  return [
    kept.others || kept.commandLines > 0
      ? 'No model server that this user can see runs here.'
      : 'No model server runs here.',
    `Looked at ${plural(looked.processes, 'process', 'processes')} and ${plural(looked.listeners, 'listening port')} ` +
      `in ${plural(looked.namespaces, 'network namespace')} for: ${looked.engines.join(', ')}.`,
  ];
}

function hardwareLine({ cpu, memory: ram, gpus, notes }: Hardware): string {
  const cores = plural(cpu.physicalCores, 'core');
  const quota = usableCores(cpu) < cpu.physicalCores ? ` (limited to ${cpu.quotaCores})` : '';
  const limit =
    ram.limitBytes !== null && ram.limitBytes < ram.totalBytes
      ? ` (limited to ${formatBytes(ram.limitBytes)})`
      : '';
  const names = gpus.map((gpu) => `${gpu.name} ${formatBytes(gpu.memoryBytes)}`);
  const model = cpu.model === null ? '' : ` (${cpu.model})`;
  const line = `This machine: ${cores}${quota}${model}, ${formatBytes(ram.totalBytes)} memory${limit}, ${names.length > 0 ? names.join(', ') : 'no GPU found'}.`;
  return [line, ...notes].join('\n');
}

function hidden({ hidden: kept }: ScanReport): string[] {
  const lines = [];
  if (kept.others) lines.push("The system hides other users' processes.");
  if (kept.commandLines > 0)
    lines.push(`${plural(kept.commandLines, 'process hides its', 'processes hide their')} command line.`);
  if (kept.details > kept.commandLines)
    lines.push(
      `${plural(kept.details, 'process hides its', 'processes hide their')} environment and sockets.`,
    );
  if (kept.listeners > 0)
    lines.push(
      `${plural(kept.listeners, 'listening port belongs', 'listening ports belong')} to none of those seen.`,
    );
  if (lines.length === 0) return [];
  const more = kept.root
    ? 'They lie outside this container, or are protected from root.'
    : 'Run with sudo to see them.';
  return [`${lines.join(' ')} ${more}`];
}

function next({ fleetFile, servers: found }: ScanReport): string {
  if (fleetFile !== null)
    return `Next: ${fleetFile} describes a fleet; "berth plan" shows what it would change here.`;
  if (found.length > 0)
    return 'Next: "berth audit" looks further, "berth adopt" takes what runs into a fleet file without a restart.';
  return 'Next: "berth init" writes a first fleet file for this machine.';
}
