import { dirname, join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { findProgram } from '../../io/find-program.ts';
import { programArgv } from '../../io/program.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';
import { hiddenFolders } from './hardening.ts';
import type { UnitFacts } from './render.ts';
import { realPaths } from './real-paths.ts';
import type { Scope } from './scope.ts';

/** Looks up on the host what a unit is made from. Throws PROGRAM_MISSING. */
export async function unitFacts(
  world: World,
  request: Pick<StartRequest, 'mark'>,
  { unit, scope }: { unit: string; scope: Scope },
): Promise<UnitFacts> {
  const {
    program: { entry },
    model,
    mmproj,
  } = request.mark.spec;
  const [program, version, groups] = await Promise.all([
    programOf(world, request),
    world.exec.run(['systemctl', '--version'], { timeoutMs: 20_000 }),
    world.files.read('/etc/group'),
  ]);
  const [first = ''] = program;
  const behind = await linkedFolders(world, [first, model, mmproj]);
  const python = scope.name === 'user' ? [] : await pythonFolders(world, [dirname(first), ...behind]);
  return {
    unit,
    scope: scope.name,
    config: join(scope.config, unit),
    program,
    reads:
      entry === undefined
        ? [dirname(first), ...behind, ...python]
        : [dirname(first), ...behind, packageOf(program[1] ?? ''), world.places.engines],
    // Our own program looks for the engine's library there.
    environment: entry === undefined ? {} : { BERTH_ENGINES: world.places.engines },
    fetcher: await fetcherOf(world),
    gpuGroups: ['video', 'render'].filter((name) => new RegExp(`^${name}:`, 'm').test(groups ?? '')),
    systemdVersion: Number(/systemd (\d+)/.exec(version.stdout)?.[1] ?? 0),
  };
}

/** The program by which a unit asks whether its engine answers; null: the host has none. */
export async function fetcherOf(world: World): Promise<'curl' | 'wget' | null> {
  for (const one of ['curl', 'wget'] as const) if ((await findProgram(world, one)) !== null) return one;
  return null;
}

/** Folders that links lead into, as those of the Hub's cache do: a sandbox that lets the link in hides what it leads to. */
async function linkedFolders(world: World, named: readonly (string | null)[]): Promise<string[]> {
  const paths = named.flatMap((path) => (path?.startsWith('/') ? [path] : []));
  const real = await realPaths(world, paths);
  return [...real].flatMap(([path, to]) => (to === path ? [] : [dirname(to)]));
}

/**
 * A program of Python lies beside the packages that it imports, in an environment of its own that may lean on a Python elsewhere: of
 * the folders that a sandbox hides, all that it needs to find both.
 */
async function pythonFolders(world: World, programFolders: readonly string[]): Promise<string[]> {
  const all = [...new Set(programFolders.filter((one) => one.endsWith('/bin')).map((one) => dirname(one)))];
  const hidden = all.filter((one) => hiddenFolders.some((folder) => one.startsWith(`${folder}/`)));
  const found = hidden.map(async (environment) => {
    const config = await world.files.read(join(environment, 'pyvenv.cfg')).catch(() => null);
    if (config === null) return (await isThere(world, join(environment, 'conda-meta'))) ? [environment] : [];
    const home = /^home\s*=\s*(\/\S.*)$/m.exec(config)?.[1]?.trim();
    const real = await realPaths(world, [join(environment, 'bin/python')]);
    const bases = [...(home === undefined ? [] : [home]), ...[...real.values()].map((one) => dirname(one))];
    return [environment, ...bases.map((one) => dirname(one))];
  });
  return (await Promise.all(found)).flat();
}

async function isThere(world: World, path: string): Promise<boolean> {
  return (await world.files.stat(path).catch(() => null)) !== null;
}

/** src/programs/x.ts and dist/programs/x.js lie two folders below the package. */
function packageOf(program: string): string {
  return dirname(dirname(dirname(program)));
}

async function programOf(world: World, { mark }: Pick<StartRequest, 'mark'>): Promise<string[]> {
  const { entry, binary } = mark.spec.program;
  if (entry !== undefined) return programArgv(entry);
  const path = binary === undefined ? null : await findProgram(world, binary);
  if (path === null)
    throw new BerthError('PROGRAM_MISSING', {
      program: binary ?? '',
      needed: mark.deployment,
      machine: world.machine,
    });
  return [path];
}
