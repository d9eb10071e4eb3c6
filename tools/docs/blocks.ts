import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { rules } from '../../src/audit/rules/registry.ts';
import { buildProgram } from '../../src/cli/build-program.ts';
import { commands } from '../../src/cli/commands.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { createOutput } from '../../src/cli/output.ts';
import { endpoints } from '../../src/domain/endpoints.ts';
import { exitCodes } from '../../src/domain/exit-codes.ts';
import { engineOf, engines } from '../../src/engines/registry.ts';
import { FleetFile } from '../../src/fleet-schema.ts';
import { policies } from '../../src/gateway/policies/registry.ts';
import { localWorld } from '../../src/io/local-world.ts';
import { schemaTables } from './schema-tables.ts';
import type { Schema } from './schema-tables.ts';

const root = resolve(import.meta.dirname, '../..');

/** Parts of the docs that are written from the code, by name: `<!-- generated NAME -->` ... `<!-- end -->`. */
const blocks: Readonly<Record<string, () => string | Promise<string>>> = {
  'fleet-file': () =>
    schemaTables(z.toJSONSchema(FleetFile, { io: 'input', unrepresentable: 'any' }) as Schema),
  engines: enginesTable,
  endpoints: endpointsTable,
  policies: policiesTable,
  'audit-rules': auditRules,
  'exit-codes': exitCodesTable,
  commands: commandPages,
};

/** The page's text with every generated part written anew. Throws on a name that is not known. */
export async function regenerate(text: string): Promise<string> {
  let result = text;
  for (const [whole, name = ''] of text.matchAll(/<!-- generated ([\w-]+) -->[\s\S]*?<!-- end -->/g)) {
    const block = blocks[name];
    if (!block) {
      throw new Error(`No generated part is called "${name}". There are: ${Object.keys(blocks).join(', ')}.`);
    }
    const part = await block();
    result = result.replace(whole, () => `<!-- generated ${name} -->\n${part}\n<!-- end -->`);
  }
  return result;
}

function enginesTable(): string {
  const rows = engines.map(({ kind }) => {
    const engine = engineOf(kind);
    const how = engine.launch ? 'started' : engine.external ? 'reached' : '';
    const seen = engine.recognize ? 'yes' : '';
    return `| \`${engine.kind}\` | ${engine.title} | ${how} | ${seen} | ${answers(engine.paths)} |`;
  });
  return [
    '| kind | what | in a fleet | known by the scan | answers |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

function answers(paths: readonly string[]): string {
  return paths.length === 0 ? 'what the server has' : paths.map((path) => `\`${path}\``).join(', ');
}

/** One row for each endpoint; names of the same one share it. */
function endpointsTable(): string {
  const firsts = endpoints.filter(({ path, same }) => path === same[0]);
  const rows = firsts.map(({ same, what, modelOptional, body }) => {
    const has = engines.filter(({ paths }) =>
      same.some((path) => (paths as readonly string[]).includes(path)),
    );
    const notes = [
      ...(body === 'form' ? ['multipart form'] : []),
      ...(modelOptional ? ['`model` optional'] : []),
    ];
    const names = same.map((path) => `\`${path}\``).join(', ');
    return `| ${names} | ${what}${notes.length > 0 ? ` (${notes.join(', ')})` : ''} | ${has.map(({ kind }) => `\`${kind}\``).join(', ') || 'other servers only'} |`;
  });
  return ['| POST | what | engines that have it |', '|---|---|---|', ...rows].join('\n');
}

function auditRules(): string {
  const rows = rules.map(({ id, severity, finds, why }) => `| \`${id}\` | ${severity} | ${finds} | ${why} |`);
  return ['| rule | severity | finds | why it matters |', '|---|---|---|---|', ...rows].join('\n');
}

function policiesTable(): string {
  const rows = policies.map(({ kind, title }) => `| \`${kind}\` | ${title} |`);
  return ['| kind | how a replica is chosen |', '|---|---|', ...rows].join('\n');
}

const exitMeanings: Record<keyof typeof exitCodes, string> = {
  done: 'Done.',
  fault: 'A fault; the message says which, and how to cure it.',
  usage: 'The command line or the fleet file is wrong; nothing was done.',
  sloMissed: 'A benchmark missed its objective.',
  regression: 'A benchmark is worse than its baseline.',
  clientLimited: 'The benchmark client itself was the limit, so the figures say little about the server.',
  targetDown: 'The server or the host that was asked does not answer.',
  partlyApplied:
    'Some actions were done, then one failed, or engines went back to what they were, or a host could not be looked at; running it again goes on.',
  findings: 'Findings that want attention.',
  changes: 'With `berth plan --exit-code`: there is something to do.',
  backedOut:
    'A move was taken back, since the new engine was worse or never answered: what served before still does.',
  interrupted: 'Interrupted by Ctrl-C or SIGTERM.',
};

function exitCodesTable(): string {
  const rows = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${exitMeanings[name as keyof typeof exitCodes]} |`,
  );
  return ['| code | meaning |', '|---|---|', ...rows].join('\n');
}

/** The help page of every command, and of the commands below it, as berth prints it. */
async function commandPages(): Promise<string> {
  const pages = commands.map(async ({ name, summary }) => {
    const program = await buildProgram([name, '--help'], '', async () => context);
    const command = program.commands.find((one) => one.name() === name);
    const all = command ? [command, ...command.commands] : [];
    return [`## \`berth ${name}\``, summary, ...all.map(helpBlock)].join('\n\n');
  });
  return (await Promise.all(pages)).join('\n\n');
}

/** What commands are given when they are only asked for their help page. */
const context: CliContext = {
  world: localWorld(),
  output: createOutput({ json: false }),
  cwd: root,
  signal: new AbortController().signal,
  hangUps: null,
  ask: null,
  exit: () => {},
};

function helpBlock(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part), getOutHelpWidth: () => 100 });
  command.outputHelp();
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
