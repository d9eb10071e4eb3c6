import { dirname } from 'node:path';
import type { Finding } from '../../domain/finding.ts';
import type { World } from '../../io/world.ts';
import type { DotEnv } from './dot-env.ts';
import { referenceOf, secretPlaces } from './secret-places.ts';
import { scalarAt } from './tree.ts';
import type { Located } from './tree.ts';

/** Files with secrets of this fleet that every user of this machine can read. */
export async function openSecrets(
  world: World,
  tree: Located,
  dotEnv: DotEnv | null,
): Promise<readonly Finding[]> {
  const named = secretPlaces(tree).flatMap(({ piece }) => referenceOf(piece, 'file') ?? []);
  const tlsKey = scalarAt(tree, ['gateway', 'tls', 'key']);
  const paths = [dotEnv?.path ?? [], ...named, typeof tlsKey === 'string' ? tlsKey : []].flat();
  const found = await Promise.all([...new Set(paths)].map((path) => openFile(world, path)));
  return found.flatMap((one) => one ?? []);
}

async function openFile(world: World, path: string): Promise<Finding | null> {
  const mode = (await world.files.stat(path))?.mode;
  if (mode === undefined || (mode & 0o004) === 0 || !(await canReach(world, dirname(path)))) return null;
  return {
    rule: 'secret-readable',
    severity: 'warning',
    object: path,
    message: 'It holds a secret, and every user of this machine can read it.',
    evidence: [`mode ${mode.toString(8).padStart(4, '0')}`],
    cure: `chmod 600 '${path}'`,
  };
}

/** A file behind a folder that others may not pass is not open to them, whatever its own mode. */
async function canReach(world: World, folder: string): Promise<boolean> {
  const mode = (await world.files.stat(folder))?.mode;
  if (mode !== undefined && (mode & 0o001) === 0) return false;
  const above = dirname(folder);
  return above === folder || canReach(world, above);
}
