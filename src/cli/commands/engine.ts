import type { Command } from 'commander';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { addEmbedded, embeddedInstall, libraryVersion, removeEmbedded } from '../../embedded/install.ts';
import type { CliContext } from '../context.ts';

/** The one engine that berth brings itself; all others are the user's own programs. */
const addable = ['embedded'] as const;

export const examples = [
  ['berth engine add embedded', 'Installs the engine that needs no other program.'],
  ['berth engine list', 'What is installed, where.'],
  ['berth engine remove embedded', 'Deletes it again.'],
] as const;

export function configure(command: Command, context: CliContext): void {
  command
    .command('add')
    .argument('<engine>', `which engine: ${addable.join(', ')}`)
    .option('--force', 'install again even when it is there')
    .description("Install an engine into berth's data folder (with npm, no install scripts).")
    .action((engine: string, options: { force?: boolean }) => add(context, engine, options.force ?? false));
  command
    .command('list')
    .description('Engines that berth can install, and which are.')
    .action(() => list(context));
  command
    .command('remove')
    .argument('<engine>', `which engine: ${addable.join(', ')}`)
    .description("Delete an installed engine from berth's data folder.")
    .action((engine: string) => remove(context, engine));
}

async function add({ world, output, signal }: CliContext, engine: string, force: boolean): Promise<void> {
  assertAddable(engine);
  const before = await embeddedInstall(world);
  if (before.version === libraryVersion && !force) {
    output.result(before, () => `The embedded engine is installed already: ${before.folder}`);
    return;
  }
  const done = await addEmbedded(world, { onProgress: output.progress, signal });
  output.result(
    done,
    () =>
      `The embedded engine (node-llama-cpp ${done.version}, llama.cpp ${done.release}) is ready: ${done.folder}`,
  );
}

async function list({ world, output }: CliContext): Promise<void> {
  const found = await embeddedInstall(world);
  output.result([found], () =>
    found.version === null
      ? 'embedded  not installed ("berth engine add embedded" installs it; a clone has its own)'
      : `embedded  ${found.version}  ${found.folder}`,
  );
}

async function remove({ world, output }: CliContext, engine: string): Promise<void> {
  assertAddable(engine);
  const before = await removeEmbedded(world);
  output.result({ ...before, removed: before.version !== null }, () =>
    before.version === null ? 'The embedded engine was not installed.' : `Removed ${before.folder}.`,
  );
}

function assertAddable(engine: string): void {
  if (!(addable as readonly string[]).includes(engine)) {
    throw new BerthError('ENGINE_NOT_ADDABLE', { engine, known: addable });
  }
}
