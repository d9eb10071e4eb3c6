import type { Command } from 'commander';
import type { Opening } from '../fleet/key-checks.ts';
import type { LoadedFleet } from '../fleet/resolve.ts';
import type { CliContext } from './context.ts';

export interface FileOptions {
  readonly file: readonly string[];
}

/** The option that every command on a fleet has. */
export function addFileOption(command: Command): Command {
  return command.option(
    '-f, --file <file>',
    'fleet file; several lie over each other in order (default ./berth.yaml)',
    (file: string, before: string[]) => [...before, file],
    [],
  );
}

/** The registries and the YAML reader come only with the first command that needs them. */
export async function loadFrom(
  context: CliContext,
  options: FileOptions,
  opens: Opening = null,
): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/load.ts');
  return loadFleet(context.world, { files: options.file, cwd: context.cwd, opens });
}

/** For commands that only look or stop: they work in a shell that has none of the secrets. */
export async function loadWithoutSecrets(context: CliContext, options: FileOptions): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/load.ts');
  return loadFleet(context.world, { files: options.file, cwd: context.cwd, secrets: 'unused' });
}
