import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { PositiveDuration } from '../../domain/units.ts';
import { findingsOnHost } from '../../audit/audit.ts';
import { renderScan } from '../../scan/render.ts';
import { scan } from '../../scan/scan.ts';
import type { CliContext } from '../context.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth scan', 'Every model server on this machine, whoever started it. Plain "berth" does the same.'],
  ['berth scan --json', 'The same for machines, with the evidence of each finding.'],
  ['berth scan --timeout 10s', 'Waits longer for answers, on a machine that is very busy.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .option('--timeout <time>', 'how long servers and tools may take to answer', '1500ms')
    .action(async (options: { timeout: string }) => {
      const timeoutMs = parseTimeout(options.timeout);
      const how = { cwd: context.cwd, signal: context.signal, timeoutMs, judge: findingsOnHost };
      const report = await scan(context.world, how);
      context.output.result(report, () => renderScan(report, table));
    });
}

function parseTimeout(text: string): number {
  const parsed = PositiveDuration.safeParse(text);
  if (parsed.success) return parsed.data;
  const detail = `"${text}" is no time; write it as 500ms, 5s or 1m.`;
  throw new BerthError('USAGE', { detail, command: 'scan' });
}
