import { resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { formatBytes } from '../../domain/format.ts';
import { isAddress, shownSource } from '../../domain/model-source.ts';
import { leastPerSecond } from '../../io/download/pace.ts';
import { putModel, storeBeside } from '../../models/put-model.ts';
import type { Pulled } from '../../models/pull.ts';
import type { CliContext } from '../context.ts';
import { addFileOption } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { countOption } from '../count-option.ts';
import { namedSources } from '../named-models.ts';
import type { NamedSource } from '../named-models.ts';
import { isNewer } from '../newer-models.ts';
import { checkRoomOf, pullNamed } from '../pull-named.ts';
import type { PullHow } from '../pull-named.ts';

export const examples = [
  ['berth pull', 'Fetches every model of the fleet file that lies elsewhere.'],
  ['berth pull hf://bartowski/Qwen2.5-7B-Instruct-GGUF:Q4_K_M', 'One model, with or without a fleet file.'],
  ['berth pull s3://models/mistral-24b', 'All files below a prefix of a bucket.'],
  [
    'berth pull hf://Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M --to /srv/models/qwen.gguf',
    'Puts it under that name, and nothing into the store.',
  ],
  ['berth pull --refresh', 'Fetches what their places have in a newer form.'],
  ['berth models show hf://Qwen/Qwen2.5-7B-Instruct', 'What it is, before anything is fetched.'],
] as const;

interface PullCommandOptions extends FileOptions {
  readonly connections: number;
  readonly stall: number;
  readonly refresh?: boolean;
  readonly to?: string;
  readonly mark?: string;
  readonly sum: Readonly<Record<string, string>>;
}

export function configure(command: Command, context: CliContext): void {
  addFileOption(command)
    .argument(
      '[model...]',
      'sources, or models or deployments of the fleet file; without any, all of its models',
    )
    .option('--connections <n>', 'ranges of one file that are fetched at once', countOption(1, 32), 4)
    .option(
      '--stall <seconds>',
      `a connection that brings less than ${leastPerSecond} bytes a second for so long is given up for another`,
      countOption(1, 3600),
      30,
    )
    .option(
      '--to <path>',
      'where the one model is put, in place of the store: a folder, or a name ending in .gguf',
    )
    .option('--mark <file>', 'file that is made once all lies there; where it is, nothing is left to do')
    .option(
      '--sum <file=sha256>',
      'sum that a file must have, by its path below the folder; several times',
      addSum,
      {},
    )
    .option('--refresh', 'ask for models that are there already, and fetch what has a newer form')
    .action(async (names: string[], options: PullCommandOptions) => {
      if (options.to !== undefined) return pullTo(context, names, { ...options, to: options.to });
      if (options.mark !== undefined || Object.keys(options.sum).length > 0)
        throw usage('"--mark" and "--sum" are for a model that "--to" puts somewhere.');
      const pulled: Told[] = [];
      const all = elsewhere(await namedSources(context, options, names));
      const refresh = options.refresh === true;
      const listings = await checkRoomOf(context, all, { refresh });
      for (const named of all) {
        const one = await pullNamed(context, named, {
          ...howOf(options),
          refresh,
          listed: () => listings(named),
        });
        pulled.push({
          ...one,
          newer: !one.fetched && !options.refresh && (await isNewer(context, named, one.model)),
        });
      }
      context.output.result(
        pulled.map(({ model, path, fetched, newer }) => ({ ...model, path, fetched, newer })),
        () =>
          pulled.map(lineOf).join('\n') ||
          'The fleet file names no model that lies elsewhere, or those alone that its clusters fetch.',
      );
    });
}

/** A projector is fetched also where its model lies on this machine. */
function elsewhere(named: readonly NamedSource[]): readonly NamedSource[] {
  return named.some(({ beside }) => beside) ? named.filter(({ source }) => isAddress(source)) : named;
}

function howOf({ connections, stall }: Pick<PullCommandOptions, 'connections' | 'stall'>): PullHow {
  return { connections, stallMs: stall * 1000 };
}

/** One model to a place of its own, for whoever waits for it there. */
async function pullTo(
  context: CliContext,
  names: readonly string[],
  { to: path, mark, sum: sums, ...options }: PullCommandOptions & { readonly to: string },
): Promise<void> {
  const { world, output, cwd } = context;
  const [named, ...others] = await namedSources(context, options, names);
  if (!named || others.some(({ beside }) => !beside))
    throw usage('"--to" puts one model somewhere: name one.');
  const to = resolve(cwd, path);
  const done = mark === undefined ? null : resolve(cwd, mark);
  const fetched = done === null || (await world.files.stat(done)) === null;
  if (fetched) {
    const own = await storeBeside(world, named.source, { to, sums });
    const { model } = await pullNamed({ ...context, world: own }, named, howOf(options));
    await putModel(own, model, { to, sums });
    if (done !== null) await world.files.write(done, `${model.source}\n`, 0o644);
  }
  const source = shownSource(named.source);
  output.result(
    { source, path: to, fetched },
    () => `${source}: ${fetched ? 'fetched' : 'there already'}, ${to}`,
  );
}

function addSum(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [, file, sum] = /^(.+)=([0-9a-f]{64})$/.exec(text) ?? [];
  if (file === undefined || sum === undefined)
    throw new InvalidArgumentError('It is FILE=SHA256, with 64 digits of hexadecimal.');
  return { ...before, [file]: sum };
}

function usage(detail: string): BerthError<'USAGE'> {
  return new BerthError('USAGE', { detail, command: 'pull' });
}

interface Told extends Pulled {
  /** Its place has another form by now. */
  readonly newer: boolean;
}

function lineOf({ model, path, fetched, newer }: Told): string {
  const bytes = model.files.reduce((sum, { size }) => sum + size, 0);
  return `${model.source}: ${fetched ? 'fetched' : 'there already'}, ${formatBytes(bytes)}, ${path}${newer ? '; newer at its place, "berth pull --refresh" fetches that' : ''}`;
}
