import { secretFileText } from '../domain/fill-args.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster } from '../domain/secret.ts';
import { resolveSecret } from '../io/secret-values.ts';
import type { World } from '../io/world.ts';
import type { KubeMeta, KubeObject } from './object.ts';

/** The Secret with the values that come from here, none where the engine has none. Never print what comes back. */
export async function secretObject(
  world: World,
  spec: LaunchSpec,
  metadata: KubeMeta,
): Promise<KubeObject[]> {
  const names = Object.entries(spec.secrets).filter(([, ref]) => !isOfCluster(ref));
  if (names.length === 0) return [];
  const data: Record<string, string> = {};
  for (const [name, ref] of names) {
    const text = secretFileText(spec, name, await resolveSecret(world, ref));
    data[name] = Buffer.from(text, 'utf8').toString('base64');
  }
  return [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }];
}
