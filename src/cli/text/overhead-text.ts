import type { Difference } from '../../bench/overhead/compare.ts';
import type { OverheadReport } from '../../bench/overhead/report.ts';
import { table } from '../output.ts';

/** The report of "berth gateway bench" as people read it. */
export function overheadText(report: OverheadReport): string {
  const head = ['', 'requests', 'TTFT p50', 'TTFT p99', 'added p50', 'added p99', 'CPU/event'];
  const rows = report.rows.map((row) => [
    row.name,
    String(row.requests),
    ms(row.ttftP50Ms),
    ms(row.ttftP99Ms),
    added(row.addedP50),
    added(row.addedP99),
    row.cpuUsPerEvent === null ? '-' : `${row.cpuUsPerEvent.toFixed(1)} µs`,
  ]);
  return [
    `What stands between a client and ${report.deployment}: ${report.pairs} turns of each way in random order, ` +
      `${report.streams} at once, ${report.tokens} tokens at most.`,
    table([head, ...rows], [1, 2, 3, 4, 5, 6]),
    ...report.notes,
  ].join('\n');
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(2)} ms`;
}

function added(difference: Difference | null): string {
  if (!difference) return '-';
  const [from, to] = difference.interval;
  return `${signed(difference.ms)} ms (${signed(from)} to ${signed(to)})`;
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`;
}
