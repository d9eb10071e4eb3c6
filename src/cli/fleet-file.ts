import type { Command } from 'commander';
import { machineOf, thisMachine } from '../domain/host-access.ts';
import { isAddress } from '../domain/model-source.ts';
import type { Opening } from '../fleet/checks/key-checks.ts';
import { asApplied } from '../fleet/file/applied-files.ts';
import type { AppliedFiles } from '../fleet/file/applied-files.ts';
import type { LoadedFleet } from '../fleet/file/resolve.ts';
import type { World } from '../io/world.ts';
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

/** Makes of a fleet, as its file says it, one of which some stand still. */
export type Resting = (world: World, file: LoadedFleet) => Promise<LoadedFleet>;

/** The registries and the YAML reader come only with the first command that needs them. */
export async function loadFrom(
  context: CliContext,
  options: FileOptions,
  { opens = null, rest }: { opens?: Opening; rest?: Resting } = {},
): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/file/load.ts');
  return asItIsHere(
    context,
    await loadFleet(context.world, { files: options.file, cwd: context.cwd, opens }),
    rest,
  );
}

/** For commands that only look or stop: they work in a shell that has none of the secrets. */
export async function loadWithoutSecrets(
  context: CliContext,
  options: FileOptions,
  rest?: Resting,
): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/file/load.ts');
  return asItIsHere(
    context,
    await loadFleet(context.world, { files: options.file, cwd: context.cwd, secrets: 'unused' }),
    rest,
  );
}

/** The fleet by its files as they were when they were last applied, for commands that only look or stop. */
export async function loadApplied(
  context: CliContext,
  applied: AppliedFiles,
  rest?: Resting,
): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/file/load.ts');
  const world = asApplied(context.world, applied);
  const loaded = await loadFleet(world, { files: applied.named, cwd: context.cwd, secrets: 'unused' });
  // A plan by them holds as long as nothing else is applied.
  return asItIsHere(context, { ...loaded, files: [applied.record] }, rest);
}

/** For files that are used elsewhere: what lies in the store of this machine does not count there, unless `withStored` says so. */
export async function loadAsWritten({ world, cwd }: CliContext, options: FileOptions): Promise<LoadedFleet> {
  const { loadFleet } = await import('../fleet/file/load.ts');
  return loadFleet(world, { files: options.file, cwd, secrets: 'unused' });
}

/** With what this machine knows of it: what was stopped by hand, and where models lie. */
async function asItIsHere(
  { world }: CliContext,
  file: LoadedFleet,
  rest: Resting | undefined,
): Promise<LoadedFleet> {
  const resting = rest ?? (await import('../fleet/plan/at-rest.ts')).withRest;
  return withStored(world, await resting(world, file));
}

/**
 * A model or projector that was pulled is served from the store, on this machine alone; where it was not, its address stays what its engine is
 * given.
 */
export async function withStored(world: World, loaded: LoadedFleet): Promise<LoadedFleet> {
  if (!loaded.deployments.some(({ model }) => model && addressesOf(model).length > 0)) return loaded;
  const { modelPath, storeOf, storedModel } = await import('../models/cache.ts');
  const { knownKey } = await import('../models/place-key.ts');
  const deployments = await Promise.all(
    loaded.deployments.map(async (deployment) => {
      const { model, host } = deployment;
      const here = machineOf(loaded.hosts[host]) === thisMachine;
      if (!model || !here) return deployment;
      const paths = new Map<string, string>();
      for (const address of addressesOf(model)) {
        const stored = await storedModel(world, await knownKey(world, address, model.secret ?? null));
        if (stored) paths.set(address, modelPath(storeOf(world), stored));
      }
      const mmproj = model.mmproj === null ? null : (paths.get(model.mmproj) ?? model.mmproj);
      return { ...deployment, model: { ...model, path: paths.get(model.path) ?? model.path, mmproj } };
    }),
  );
  return { ...loaded, deployments };
}

function addressesOf({ path, mmproj }: { readonly path: string; readonly mmproj: string | null }): string[] {
  return [path, mmproj].filter((one) => one !== null && isAddress(one)) as string[];
}
