// The errors of load generators side by side: the cases of the selftest, played by one server that logs what it wrote when.
// `npm run bench:errors [-- --rounds N] [--only TOOL] [--part NAME]`. Prints Markdown.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toldBy } from '../bench/runs.ts';
import { compileTruth, startTruth } from '../bench/truth.ts';
import { machineLine } from '../lib/machine.ts';
import { berth } from '../lib/tools/berth.ts';
import type { Tool } from '../lib/tools/contract.ts';
import { findAiperf, findGuideLlm } from '../lib/tools/peers.ts';
import type { Absent } from '../lib/tools/peers.ts';
import type { Measured } from './errors.ts';
import { partsOf } from './parts.ts';
import type { Part } from './parts.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '6' },
    only: { type: 'string', multiple: true },
    part: { type: 'string', multiple: true },
    // Keeps what the tools wrote.
    keep: { type: 'boolean', default: false },
  },
});

/** A tool's run over all of a part, to its end. */
async function measure(tool: Tool, part: Part, at: { program: string; folder: string }): Promise<Measured> {
  const server = await startTruth(at.program, at.folder, part.cases, part.server);
  let told: Measured['told'] = [];
  let log: Measured['log'] = [];
  try {
    told = await toldBy(tool, server.url, part.load, at.folder);
  } finally {
    log = [...(await server.end()).values()];
  }
  return { told, log, plans: new Map(part.cases.map((each) => [each.name, each])) };
}

function cell(column: string, value: number | null): string {
  if (value === null) return '-';
  if (/wrong|none/.test(column)) return String(value);
  return /p50|p99/.test(column) ? `${value.toFixed(2)} ms` : value.toFixed(2);
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** What a case alone gave: all columns of its part in their order. */
function caseTable(part: Part, found: ReadonlyMap<string, Measured>): string {
  const names = [...new Set(part.cases.map(({ of }) => of))];
  const rows = names.map((of) => [
    of,
    ...[...found.values()].map((measured) => {
      const log = measured.log.filter(({ play }) => measured.plans.get(play)?.of === of);
      return Object.entries(part.columns)
        .map(([column, figure]) => cell(column, figure({ ...measured, log })).replace(' ms', ''))
        .join(' / ');
    }),
  ]);
  return tableOf([['case', ...found.keys()], ...rows]);
}

async function report(part: Part, tools: readonly Tool[], at: { program: string; folder: string }) {
  const found = new Map<string, Measured>();
  console.log(`\n${part.name}: ${part.what}\n`);
  for (const tool of tools)
    try {
      found.set(tool.name, await measure(tool, part, at));
    } catch (error) {
      console.log(`${tool.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  const names = Object.keys(part.columns);
  const rows = [...found].map(([name, measured]) => [
    name,
    String(measured.log.length),
    ...Object.entries(part.columns).map(([column, figure]) => cell(column, figure(measured))),
  ]);
  console.log(tableOf([['tool', 'requests', ...names], ...rows]));
  if (new Set(part.cases.map(({ of }) => of)).size === 1) return;
  console.log(`\nBy case: ${names.join(' / ')}\n`);
  console.log(caseTable(part, found));
}

function present(tools: readonly (Tool | Absent)[]): Tool[] {
  return tools.flatMap((tool) => {
    if (values.only && !values.only.includes(tool.name)) return [];
    if (!('absent' in tool)) return [tool];
    console.log(`${tool.name} is absent: ${tool.absent}`);
    return [];
  });
}

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'berth-bench-errors-'));
  try {
    const program = compileTruth(folder);
    if (!program) return console.log('Nothing was measured: there is no C compiler named cc.');
    console.log(machineLine());
    console.log('Errors without their sign, of requests that were good and that the tool took for good.');
    const tools = present([berth, findGuideLlm(), findAiperf()]);
    for (const part of partsOf(Number(values.rounds)))
      if (!values.part || values.part.includes(part.name)) await report(part, tools, { program, folder });
  } finally {
    if (values.keep) console.log(`kept: ${folder}`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

await main();
