// The errors of load generators side by side: the cases of the selftest, played by one server that logs what it wrote when.
// `npm run bench:errors [-- --rounds N] [--only TOOL]`. Prints Markdown.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compileTruth, startTruth } from '../bench/truth.ts';
import type { TruthEntry } from '../bench/truth.ts';
import { machineLine } from '../lib/machine.ts';
import { plannedCases } from './cases.ts';
import { columns, errorsOf } from './errors.ts';
import type { Errors } from './errors.ts';
import { berth, otherTools, streams } from './tools.ts';
import type { ToldRequest, Tool } from './tools.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    only: { type: 'string', multiple: true },
    // Keeps what the tools wrote.
    keep: { type: 'boolean', default: false },
  },
});
const cases = plannedCases();
const plans = new Map(cases.map((each) => [each.name, each]));

interface Measured {
  readonly told: readonly ToldRequest[];
  readonly log: readonly TruthEntry[];
}

/** A tool's run over all cases, to its end. */
async function measure(tool: Tool, program: string, parent: string): Promise<Measured> {
  const folder = mkdtempSync(join(parent, `${tool.name}-`));
  const server = await startTruth(program, folder, cases);
  const requests = cases.length * Number(values.rounds);
  const [command = '', ...args] = tool.argv(server.url, requests, folder);
  const child = spawn(command, args, {
    cwd: folder,
    detached: true,
    env: tool.env(folder),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const code = await Promise.race([ended, delay(300_000, 'late' as const)]);
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch {
    // All of it has ended.
  }
  writeFileSync(join(folder, 'output.txt'), text);
  const log = [...(await server.end()).values()];
  if (code === 'late') throw new Error(`${tool.name} did not end: ${text.slice(-500)}`);
  return { told: tool.read(folder), log };
}

function cell(value: number | null, column: (typeof columns)[number]): string {
  if (value === null) return '-';
  return column.endsWith('wrong') ? String(value) : `${value.toFixed(2)} ms`;
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function byCase({ told, log }: Measured, of: string): Errors {
  return errorsOf(
    told,
    log.filter(({ play }) => plans.get(play)?.of === of),
    plans,
  );
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-errors-'));
  try {
    const program = compileTruth(folder);
    if (!program) return console.log('Nothing was measured: there is no C compiler named cc.');
    console.log(`${machineLine()}; ${streams} streams, every case ${values.rounds} times`);
    const found = new Map<string, Measured>();
    for (const tool of [berth, ...otherTools()]) {
      if (values.only && !values.only.includes(tool.name)) continue;
      if ('absent' in tool) console.log(`${tool.name} is absent: ${tool.absent}`);
      else found.set(tool.name, await measure(tool, program, folder));
    }
    console.log('\nAll cases together; of requests that were good and that the tool took for good:\n');
    const all = [...found].map(([name, { told, log }]) => {
      const errors = errorsOf(told, log, plans);
      return [name, String(log.length), ...columns.map((column) => cell(errors[column], column))];
    });
    console.log(tableOf([['tool', 'requests', ...columns], ...all]));
    console.log(
      '\nBy case: TTFT p50 / TPOT p99 / longest gap p99 / E2E p99, tokens wrong, outcomes wrong:\n',
    );
    const names = [...new Set(cases.map(({ of }) => of))];
    const rows = names.map((of) => [of, ...[...found.values()].map((one) => caseCell(byCase(one, of)))]);
    console.log(tableOf([['case', ...found.keys()], ...rows]));
  } finally {
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function caseCell(errors: Errors): string {
  const times = (['TTFT p50', 'TPOT p99', 'longest gap p99', 'E2E p99'] as const).map(
    (column) => errors[column]?.toFixed(2) ?? '-',
  );
  return `${times.join(' / ')}, ${errors['tokens wrong']}, ${errors['outcomes wrong']}`;
}

await main();
