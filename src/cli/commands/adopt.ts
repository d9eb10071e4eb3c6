import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { adopt } from '../../fleet/adopt/adopt.ts';
import type { Adopted } from '../../fleet/adopt/adopt.ts';
import { emptyFleetFile, withEntries } from '../../fleet/adopt/edit-file.ts';
import type { Entry, Refused } from '../../fleet/adopt/entries.ts';
import { loadFleet } from '../../fleet/file/load.ts';
import { preparePlan } from '../../fleet/plan/prepare-plan.ts';
import type { LoadedFleet } from '../../fleet/file/resolve.ts';
import { usualFiles } from '../../fleet/file/sources.ts';
import { adoptableOn, hostHere } from '../adoptable.ts';
import { lockEdit } from '../carry-out-edit.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { fleetIfAny } from '../observe-here.ts';
import { schemaFile } from '../schema-file.ts';

export const examples = [
  ['berth adopt', 'Shows what could be taken over, and what would be written. Changes nothing.'],
  [
    'berth adopt --all',
    'Writes every server of this machine into ./berth.yaml and marks it. Nothing is restarted.',
  ],
  ['berth adopt 4711 mistral', 'Only these, by process or by the name that it would get.'],
  ['berth adopt --host a10 --all', 'What runs on that host of the fleet file, reached by ssh.'],
  ['berth adopt --host k3s mistral', 'The Deployment of that cluster; its pods run on.'],
] as const;

interface AdoptOptions extends FileOptions {
  readonly all?: boolean;
  readonly fleet: string;
  readonly host?: string;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument('[names...]', 'which servers, by process or by name')
    .option('--all', 'every server that can be adopted')
    .option('--host <name>', 'the host of the fleet file to look at; else this machine')
    .option('--fleet <name>', 'name of the fleet, where the file is new', 'home')
    .action(async (names: string[], options: AdoptOptions) => {
      const first = await readBefore(context, options);
      const writes = options.all === true || names.length > 0;
      using _lock = writes ? await lockEdit(context, first.path, 'adopt') : null;
      // What was written while nobody held the lock counts.
      const before = writes ? await readBefore(context, options) : first;
      const host = options.host ?? hostHere(before.loaded);
      const found = await adoptableOn(context, before.loaded, { host: options.host, names });
      const { entries, refused } = besideFile(before, host, found);
      const chosen = options.all ? entries : choose(entries, names, refused);
      const text = withEntries(before.text, chosen, host);
      if (chosen.length === 0 || (names.length === 0 && !options.all)) {
        const would = withEntries(before.text, entries, host);
        return context.output.result(
          { adoptable: entries.map(plain), refused, file: before.path, text: would },
          () => offerText(entries, refused, would),
        );
      }
      const { adopted, loaded } = await carryOut(context, { ...before, text, entries: chosen });
      const changes = await changesTo(context, loaded, chosen);
      context.output.result(
        { file: before.path, adopted, reached: reachedOf(chosen).map((one) => one.name), refused, changes },
        () => doneText(before.path, { adopted, chosen, refused, changes }),
      );
    });
}

interface Before {
  readonly path: string;
  readonly text: string;
  /** Null where there is no file yet. */
  readonly old: string | null;
  readonly loaded: LoadedFleet | null;
}

async function readBefore(context: CliContext, options: AdoptOptions): Promise<Before> {
  const { world, cwd } = context;
  const loaded = await fleetIfAny(context, options);
  const usual = loaded === null ? usualFiles(world, cwd)[0] : loaded.files.at(-1)?.path;
  const path = resolve(cwd, options.file[0] ?? usual ?? 'berth.yaml');
  const old = await world.files.read(path);
  const head = { schema: schemaFile, fleet: options.fleet, id: randomBytes(4).toString('hex') };
  return { path, old, text: old ?? emptyFleetFile(head), loaded };
}

/** What stands on its port in the file is most often the same server, whose mark was taken off. */
function besideFile(
  { loaded, path }: Before,
  host: string | null,
  { entries, refused }: { entries: readonly Entry[]; refused: readonly Refused[] },
): { entries: Entry[]; refused: Refused[] } {
  const left: Entry[] = [];
  const clashes: Refused[] = [];
  for (const entry of entries) {
    const port = entry.deployment['port'];
    const known = loaded?.deployments.find(
      (one) => one.port !== null && one.port === port && one.host === (host ?? 'local'),
    );
    if (!known) left.push(entry);
    else {
      const reason = `${path} has ${known.name} on port ${known.port} already; take that out of the file first`;
      clashes.push({ server: `${entry.name} (${entry.from})`, reason });
    }
  }
  return { entries: left, refused: [...refused, ...clashes] };
}

function choose(entries: readonly Entry[], names: readonly string[], refused: readonly Refused[]): Entry[] {
  return names.map((name) => {
    const entry = entries.find((one) => one.name === name || String(one.pid) === name);
    if (entry) return entry;
    const why = refused.find((one) => one.server.includes(`(process ${name})`) || one.server.includes(name));
    const detail = why
      ? `${why.server} cannot be adopted: ${why.reason}`
      : `no server "${name}" can be adopted`;
    throw new BerthError('USAGE', { detail, command: 'adopt' });
  });
}

/**
 * The file first, so that what is marked is named somewhere; put back as it was when it does not hold or nothing can be marked. Others
 * may be waited for in between, for hours: what somebody has written meanwhile stays.
 */
async function carryOut(
  { world, cwd, output, signal }: CliContext,
  { path, text, old, entries }: Before & { entries: readonly Entry[] },
): Promise<{ adopted: Adopted[]; loaded: LoadedFleet }> {
  await world.files.write(path, text, 0o644);
  try {
    const loaded = await loadFleet(world, { files: [path], cwd, secrets: 'unused' });
    const adopted = await adopt(world, loaded, {
      entries,
      onProgress: output.progress,
      signal,
    });
    return { adopted, loaded };
  } catch (error) {
    if ((await world.files.read(path)) !== text)
      output.progress(`berth: ${path} has been changed meanwhile, and stays as it is now`);
    else if (old === null) await world.files.remove(path);
    else await world.files.write(path, old, 0o644);
    throw error;
  }
}

/** What a plan would do to them: nothing, or berth has not understood how they were started. */
async function changesTo(
  { world }: CliContext,
  loaded: LoadedFleet,
  entries: readonly Entry[],
): Promise<number> {
  const names = entries.map((entry) => entry.name);
  const plan = await preparePlan(world, loaded);
  return plan.actions.filter((one) => one.do !== 'keep' && names.includes(one.deployment)).length;
}

function plain({ name, pid, engine, deployment, model, because, goes }: Entry): Record<string, unknown> {
  return { name, pid, engine, deployment, model, because, goes: goes ?? [] };
}

function reachedOf(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter((entry) => entry.mark === null);
}

function reachedLine(entries: readonly Entry[]): string {
  const names = entries.map(({ name, because }) => (because === null ? name : `${name} (${because})`));
  return `Reached, not run by berth: ${names.join(', ')}.`;
}

function offerText(entries: readonly Entry[], refused: readonly Refused[], text: string): string {
  if (entries.length === 0 && refused.length === 0)
    return 'Nothing runs here that a fleet does not have already.';
  return [
    ...(entries.length === 0
      ? []
      : ['With "berth adopt --all" the fleet file would be:', '', text.trimEnd()]),
    ...goesLines(entries),
    ...refusedLines(refused),
  ].join('\n');
}

function goesLines(entries: readonly Entry[]): string[] {
  return entries.flatMap(({ name, goes = [] }) =>
    goes.map((what) => `The first change of ${name} will take from it ${what}.`),
  );
}

function refusedLines(refused: readonly Refused[]): string[] {
  return refused.map(({ server, reason }) => `Not adopted: ${server}: ${reason}.`);
}

function doneText(
  path: string,
  {
    adopted,
    chosen,
    refused,
    changes,
  }: { adopted: readonly Adopted[]; chosen: readonly Entry[]; refused: readonly Refused[]; changes: number },
): string {
  const reached = reachedOf(chosen);
  return [
    `${path} names them now; nothing was restarted.`,
    ...adopted.map(({ name, object, saved }) => {
      const kept = saved === null ? '' : `; its definition is kept in ${saved}`;
      return `Adopted ${name} (${object})${kept}. Undo: berth disown ${name}`;
    }),
    ...(reached.length > 0 ? [reachedLine(reached)] : []),
    ...goesLines(chosen),
    ...refusedLines(refused),
    changes === 0
      ? '"berth plan" has nothing to do for them.'
      : `"berth plan" would change ${changes} of them: look at it before you apply.`,
  ].join('\n');
}
