import { dirname, join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { FleetFile } from '../../fleet-schema.ts';
import { dotEnvValues } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { referenceOf, secretPlaces } from './secret-places.ts';
import type { Located } from './tree.ts';

/** The file `.env` beside a fleet file. Its values stay in it until a secret is needed, and no engine inherits them. */
export interface DotEnv {
  readonly path: string;
  /** Variables that it gives a value. */
  readonly names: ReadonlySet<string>;
}

/** Null where there is none, or nothing asks for a variable. A folder of that name is somebody else's. */
export async function readDotEnv(world: World, main: string, tree: Located): Promise<DotEnv | null> {
  if (!secretPlaces(tree).some(({ piece }) => referenceOf(piece, 'env') !== null)) return null;
  const path = join(dirname(main), '.env');
  if (!(await world.files.stat(path))?.isFile) return null;
  const values = Object.entries(dotEnvValues(await readText(world, path)));
  return { path, names: new Set(values.flatMap(([name, value]) => (value ? [name] : []))) };
}

async function readText(world: World, path: string): Promise<string> {
  try {
    return (await world.files.read(path)) ?? '';
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new BerthError('FILE_UNREADABLE', { path, reason }, { cause, exit: 'usage' });
  }
}

/**
 * The fleet whose references say that the file has their variable. They say so also where the environment has it now:
 * what a plan and a mark hold must not depend on the shell.
 */
export function withDotEnv(fleet: FleetFile, tree: Located, dotEnv: DotEnv | null): FleetFile {
  if (dotEnv === null) return fleet;
  return secretPlaces(tree).reduce((now, { path, piece }) => {
    const env = referenceOf(piece, 'env');
    return env !== null && dotEnv.names.has(env)
      ? (replaced(now, path, { env, dotenv: dotEnv.path }) as FleetFile)
      : now;
  }, fleet);
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by;
  const entries = Object.entries(value ?? {});
  return Object.fromEntries(
    entries.map(([name, inner]) => [name, name === key ? replaced(inner, rest, by) : inner]),
  );
}
