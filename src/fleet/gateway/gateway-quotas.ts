import { join } from 'node:path';
import type { ClientKey } from '../../domain/client-key.ts';
import type { Quotas } from '../../domain/gateway-config.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { usageFile } from './key-spending.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** What callers may take. Absent when nothing is bounded, so that the gateway need not look. */
export async function quotasOf(
  world: World,
  loaded: LoadedFleet,
  options: { readonly keys: readonly ClientKey[]; readonly secretsDir: string },
): Promise<Quotas | undefined> {
  const { prices, limits } = loaded.gateway;
  const { eachKey, models, shared } = limits;
  if (!eachKey && !models && !prices && !shared && !options.keys.some((key) => key.limits)) return undefined;
  return {
    eachKey: eachKey ?? {},
    models: models ?? {},
    prices: prices ?? {},
    usageFile: usageFile(world, loaded),
    sharedUrlFile: await sharedUrlFile(world, loaded, options.secretsDir),
  };
}

/** The URL goes by a file of its own (0600): it may hold a password, which the configuration never does. */
async function sharedUrlFile(world: World, loaded: LoadedFleet, secretsDir: string): Promise<string | null> {
  const { shared } = loaded.gateway.limits;
  if (!shared) return null;
  const path = join(secretsDir, 'shared-limits');
  await world.files.write(path, 'url' in shared ? shared.url : await resolveSecret(world, shared), 0o600);
  return path;
}
