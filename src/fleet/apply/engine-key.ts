import { join } from 'node:path';
import { keyName } from '../../domain/believed-secrets.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { tokenOfFile } from '../../io/token-file.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { isInPlace } from '../file/named-secrets.ts';
import { fleetPaths, isEngineKey } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import type { Deployment } from '../file/resolve.ts';

/** Where the key of this deployment lies; null where it has none. It stays the same, so that its engines need no change. */
export function engineKeyOf(
  world: World,
  fleet: FleetIdentity,
  deployment: Pick<Deployment, 'name' | 'ownKey'>,
): SecretRef | null {
  return deployment.ownKey ? { file: join(fleetPaths(world, fleet).engineKeys, deployment.name) } : null;
}

/** Throws ENGINE_TAKES_NO_KEY when nothing of its command line or variables names the file. */
export function expectKeyTaken(spec: LaunchSpec, deployment: string): void {
  const given = JSON.stringify([spec.args, spec.env]);
  const hole = JSON.stringify({ hole: 'secret', name: keyName }).slice(1, -1);
  if (spec.secrets[keyName] && given.includes(hole)) return;
  throw new BerthError('ENGINE_TAKES_NO_KEY', { deployment, engine: spec.engine });
}

type Keyed = Pick<Mark, 'fleet' | 'fleetId' | 'deployment' | 'spec'>;

/**
 * The file that holds the key of an engine; null for one without. No other file is one, whatever its mark says: whoever may write that,
 * as in a namespace, would be sent what lies there.
 */
export function keyFileOf(mark: Keyed): string | null {
  const ref = mark.spec.secrets[keyName];
  return ref && 'file' in ref && isEngineKey(ref.file, mark) ? ref.file : null;
}

/**
 * The same, of an engine that was seen on the host of this world; null too where its deployment neither is to run nor was last applied:
 * whoever may write a mark there would be sent the key of any.
 */
export function sentKeyFile(world: World, mark: Keyed & Pick<Mark, 'target'>): string | null {
  return isInPlace(world, mark) ? keyFileOf(mark) : null;
}

/** Makes the key before the first engine of its deployment starts; replicas that start at once are given the same. */
export async function makeEngineKey(world: World, mark: Keyed): Promise<void> {
  const path = keyFileOf(mark);
  if (path !== null) await makeKeyFile(world, path);
}

/** Kept where berth runs, wherever the engine does. */
export async function makeKeyFile({ home, files }: World, path: string): Promise<void> {
  await tokenOfFile(home?.files ?? files, path);
}

/**
 * What a question to an engine on the host of this world carries. Without the file it is asked without the key, and says so itself.
 * `file`: where its key lies by our own word, in place of that of its mark.
 */
export async function engineHeaders(
  world: World,
  mark: Mark,
  file: string | null = sentKeyFile(world, mark),
): Promise<Record<string, string>> {
  const key = file !== null && (await resolveSecret(world, { file }).catch(() => null));
  return key ? { authorization: `Bearer ${key}` } : {};
}
