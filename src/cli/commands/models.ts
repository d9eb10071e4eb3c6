import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isAddress, shownSource } from '../../domain/model-source.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { exitCodes } from '../../domain/exit-codes.ts';
import { formatBytes, formatCount } from '../../domain/format.ts';
import { eachOf } from '../../domain/each-of.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { sourceOf } from '../../model-sources/registry.ts';
import { isFolderOf, storedModels } from '../../models/cache.ts';
import type { StoredModel } from '../../models/cache.ts';
import { describeModel, describePath } from '../../models/describe-model.ts';
import type { ModelFacts } from '../../models/describe-model.ts';
import { pruneStore, verifyModel } from '../../models/keep.ts';
import type { Pruned, Verified } from '../../models/keep.ts';
import type { CliContext } from '../context.ts';
import { addFileOption, loadWithoutSecrets } from '../fleet-file.ts';
import type { FileOptions } from '../fleet-file.ts';
import { isNewer } from '../newer-models.ts';
import { namedSources } from '../named-models.ts';
import { table } from '../output.ts';

export const examples = [
  ['berth models list', 'What the store holds, and how much of the disk it takes.'],
  [
    'berth models show hf://Qwen/Qwen2.5-7B-Instruct-GGUF:Q4_K_M',
    'Architecture, parameters, context and licence, before anything is fetched.',
  ],
  ['berth models show ./model.gguf', 'The same of a file or folder of this machine.'],
  ['berth models verify', 'Reads every byte and compares it with what was fetched.'],
  ['berth models prune --yes', 'Takes away what the fleet file does not name.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .command('list')
    .option('--check', 'ask the place of each whether it has a newer form')
    .description('Models in the store.')
    .action((options: { check?: boolean }) => list(context, options.check ?? false));
  addFileOption(command.command('show'))
    .argument('<model>', 'a source, a path with a slash, or a model or deployment of the fleet file')
    .description('What a model is, read from the fronts of its files where they lie.')
    .action((name: string, options: FileOptions) => show(context, name, options));
  command
    .command('verify')
    .argument('[source...]', 'sources as "berth models list" prints them; without any, all')
    .description('Compare every byte with what was fetched; take out what is damaged.')
    .action((sources: string[]) => verify(context, sources));
  addFileOption(command.command('prune'))
    .option('--yes', 'take it away; without it, what would go is shown')
    .option('--all', 'keep nothing, whatever the fleet file names')
    .option(
      '--unseen',
      'also where a daemon does not tell of its containers, or a file of a unit cannot be read',
    )
    .description('Take away models that the fleet file does not name, and what was left half fetched.')
    .action((options: PruneOptions) => prune(context, options));
}

type PruneOptions = FileOptions & { yes?: boolean; all?: boolean; unseen?: boolean };

async function list(context: CliContext, check: boolean): Promise<void> {
  const { world, output } = context;
  const stored = await storedModels(world);
  const models = check ? await eachOf(stored, 8, (model) => checked(context, model)) : stored;
  output.result({ store: world.places.models, models }, () => {
    if (models.length === 0) return `No models in ${world.places.models}. "berth pull" fetches some.`;
    const rows = models.map((model) => [
      model.endpoint ? `${model.source} from ${model.endpoint}` : model.source,
      formatBytes(bytesOf(model)),
      String(model.files.length),
      model.licence ?? '-',
      model.revision?.slice(0, 12) ?? '-',
      model.pulledAt.slice(0, 10) + ('newer' in model && model.newer ? ', newer at its place' : ''),
    ]);
    return table([['SOURCE', 'SIZE', 'FILES', 'LICENCE', 'REVISION', 'FETCHED'], ...rows], [1, 2]);
  });
}

/** Tokens are those of the environment: the store does not know under which name of a fleet file it serves. */
async function checked(
  context: CliContext,
  model: StoredModel,
): Promise<StoredModel & { readonly newer: boolean }> {
  return { ...model, newer: await isNewer(context, { source: model.source, secret: null }, model) };
}

async function show(context: CliContext, name: string, options: FileOptions): Promise<void> {
  const facts = await factsOf(context, name, options);
  if (facts !== null) context.output.result(facts, () => factsText(facts));
}

/** Names have no slash. */
async function factsOf(context: CliContext, name: string, options: FileOptions): Promise<ModelFacts | null> {
  const { world, signal } = context;
  if (!isAddress(name) && name.includes('/')) return describePath(world, resolve(context.cwd, name));
  const [named] = await namedSources(context, options, [name]);
  if (!named) return null;
  const { source } = named;
  if (!isAddress(source)) return describePath(world, source);
  const secret = named.secret === null ? null : await resolveSecret(world, named.secret);
  return describeModel(world, sourceOf(source), source, { secret, signal });
}

function factsText(facts: ModelFacts): string {
  const rows: [string, string][] = [
    ['source', facts.source],
    ['revision', facts.revision ?? 'not told'],
    ['licence', facts.licence ?? 'not told'],
    ['format', facts.format],
    ['architecture', facts.architecture ?? 'not told'],
    ['parameters', facts.parameters === null ? 'not told' : formatCount(facts.parameters)],
    ['quantization', facts.quantization ?? 'not told'],
    ['context', facts.context === null ? 'not told' : `${facts.context} tokens`],
    [
      'size',
      facts.bytes === null ? 'not told' : `${formatBytes(facts.bytes)} in ${facts.files.length} files`,
    ],
    ['in the store', facts.pulled ? 'yes' : 'no'],
  ];
  return table(rows);
}

async function verify(
  { world, output, signal, exit }: CliContext,
  sources: readonly string[],
): Promise<void> {
  const shown = new Set(sources.map(shownSource));
  const models = (await storedModels(world)).filter(
    ({ folder, source }) =>
      sources.length === 0 || shown.has(source) || sources.some((one) => isFolderOf(one, folder)),
  );
  if (sources.length > 0 && models.length === 0)
    throw new BerthError('MODEL_NOT_STORED', { sources: [...shown] });
  const verified: Verified[] = [];
  for (const model of models) {
    output.progress(`${model.source}: reading ${formatBytes(bytesOf(model))}`);
    verified.push(
      await verifyModel(world, model, {
        signal,
        onWait: () =>
          output.progress(`${model.source} is being fetched or looked at by another berth; waiting for it.`),
      }),
    );
  }
  const damaged = verified.filter((one) => one.damaged.length > 0);
  output.result(
    verified.map(({ model, damaged: files }) => ({ source: model.source, damaged: files })),
    () => verified.map(verifiedLine).join('\n') || 'The store holds no models.',
  );
  if (damaged.length > 0) exit(exitCodes.findings);
}

function verifiedLine({ model, damaged }: Verified): string {
  return damaged.length === 0
    ? `${model.source}: as it was fetched`
    : `${model.source}: damaged: ${damaged.join(', ')}. "berth pull" fetches it anew.`;
}

async function prune(context: CliContext, options: PruneOptions): Promise<void> {
  const loaded = options.all ? null : await loadWithoutSecrets(context, options);
  const sources = Object.values(loaded?.models ?? {}).flatMap(({ source, mmproj = '' }) => [source, mmproj]);
  const named = sources.filter(isAddress);
  const pruned = await pruneStore(
    context.world,
    (folder) => named.some((source) => isFolderOf(source, folder)),
    { act: options.yes ?? false, unseen: options.unseen ?? false },
  );
  context.output.result({ ...pruned, done: options.yes ?? false }, () =>
    prunedText(pruned, options.yes ?? false),
  );
}

function prunedText(pruned: Pruned, done: boolean): string {
  const { models, used, blobs, partials, bytes, silent, unread } = pruned;
  const staying = [
    ...used.map((source) => `${source} stays: an engine, a container or a unit of this machine is given it.`),
    ...silent.map(
      (where) =>
        `${where} does not tell what its containers are given: --yes wants --unseen beside it, once you have looked there.`,
    ),
    ...unread.map(
      (path) =>
        `${path} cannot be read, and a unit may be given a model by it: --yes wants --unseen beside it, once you have looked there.`,
    ),
  ];
  if (models.length + blobs + partials === 0)
    return [...staying, 'There is nothing to take away.'].join('\n');
  const lines = [...models.map(({ source }) => source), ...staying];
  const sum = `${models.length} models, ${blobs} files, ${partials} half fetched: ${formatBytes(bytes)}`;
  return [
    ...lines,
    done ? `Taken away: ${sum}.` : `Would go: ${sum}. Run it with --yes to take them away.`,
  ].join('\n');
}

function bytesOf(model: StoredModel): number {
  return model.files.reduce((sum, { size }) => sum + size, 0);
}
