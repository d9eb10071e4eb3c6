import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { SecretRef } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { fileKeys } from '../gateway/file-keys.ts';

/** A cluster exchanges the files of a Secret under a running pod within a minute or so. */
const lookMs = 10_000;

/** Files with secrets that a gateway reads: keys of its clients, of servers elsewhere and of engines, and where limits are shared. */
export function secretFiles({ gateway, deployments }: LoadedFleet, engineKeys: string): string[] {
  const { shared } = gateway.limits;
  const refs = [
    ...Object.values(fileKeys(gateway)),
    ...(shared && !('url' in shared) ? [shared] : []),
    ...deployments.flatMap(({ engine }) => (engine['key'] as SecretRef | undefined) ?? []),
  ];
  const own = deployments.filter(({ ownKey }) => ownKey).map(({ name }) => join(engineKeys, name));
  return [...refs.flatMap((ref) => ('file' in ref ? ref.file : [])), ...own];
}

/** Another text when one of the files holds something else. It stays in this process. */
export async function fingerprintOf({ files }: World, paths: readonly string[]): Promise<string> {
  const texts = await Promise.all(paths.map((path) => files.read(path).catch(() => null)));
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex');
}

/** Resolves when the signal aborts. `paths` is asked at each look. */
export async function followSecrets(
  world: World,
  paths: () => readonly string[],
  { signal, onLook }: { signal: AbortSignal; onLook: (fingerprint: string) => void },
): Promise<void> {
  while (!signal.aborted) {
    await world.clock.sleep(lookMs, signal).catch(() => {});
    if (!signal.aborted) onLook(await fingerprintOf(world, paths()));
  }
}
