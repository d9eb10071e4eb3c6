import type { AnySecret } from '../domain/secret.ts';
import { resolveSecret } from '../io/secret-values.ts';
import type { World } from '../io/world.ts';
import { sourceOf } from '../model-sources/registry.ts';
import { storeKey } from './cache.ts';
import type { StoreKey } from './cache.ts';

/**
 * The key by which a model would be in the store now, for readers that ask no place for anything: where its secret or its settings
 * cannot be read, as if there were none.
 */
export async function knownKey(world: World, source: string, secret: AnySecret | null): Promise<StoreKey> {
  const told = secret === null ? null : await resolveSecret(world, secret).catch(() => null);
  return storeKey(
    source,
    await sourceOf(source)
      .endpoint(world, told)
      .catch(() => null),
  );
}
