import { secretFileText } from '../domain/fill-args.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isOfHere } from '../domain/secret.ts';
import { resolveSecret } from '../io/secret-values.ts';
import type { World } from '../io/world.ts';
import type { KubeMeta, KubeObject } from './object.ts';

/** The Secret with the values that come from here, none where the engine has none. Never print what comes back. */
export async function secretObject(
  world: World,
  spec: LaunchSpec,
  metadata: KubeMeta,
): Promise<KubeObject[]> {
  const data: Record<string, string> = {};
  for (const [name, ref] of Object.entries(spec.secrets)) {
    if (!isOfHere(ref)) continue;
    const text = secretFileText(spec, name, await resolveSecret(world, ref));
    data[name] = Buffer.from(text, 'utf8').toString('base64');
  }
  if (Object.keys(data).length === 0) return [];
  return [{ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data }];
}
