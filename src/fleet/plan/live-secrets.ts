import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { secretFileText } from '../../domain/fill-args.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { Reason } from '../../domain/plan.ts';
import { isOfHere, secretTitle } from '../../domain/secret.ts';
import type { EngineSecret } from '../../domain/secret.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { getObject, Live } from '../../kube/client.ts';
import type { Place } from '../../kube/client.ts';
import { placeOf } from '../../kube/cluster-world.ts';
import { engineSecretName } from '../../kube/names.ts';
import { targetOf } from '../../targets/registry.ts';
import { worldOfInstance } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';
import { withReadable } from '../file/named-secrets.ts';

const Secret = Live.extend({ data: z.record(z.string(), z.string()).nullish() });

/**
 * Pods that others have started from files: their marks tell nothing of secrets, so what the cluster has is held against what lies
 * here. One reason for each secret that is another by now, by the key of the instance. Values stay where they are read.
 */
export async function otherSecrets(
  world: World,
  hosts: Hosts,
  instances: readonly Instance[],
): Promise<ReadonlyMap<string, Reason[]>> {
  const found = await Promise.all(
    instances.map(async (instance) => {
      const stated = instance.mark;
      if (!stated || stated.secrets || !targetOf(stated.target.kind).inCluster) return [];
      if (!Object.values(stated.spec.secrets).some(isOfHere)) return [];
      const host = await worldOfInstance(world, hosts, instance);
      // That a value is another one tells of it, too.
      const mark = withReadable(host, stated);
      const place = await placeOf(host);
      const changed = await changedInCluster(world, place, {
        name: engineSecretName(mark),
        secrets: mark.spec.secrets,
        textOf: (name, value) => secretFileText(mark.spec, name, value),
      });
      return [[objectKey(instance.object), changed.map((one) => reasonOf(one, 'restart'))] as const];
    }),
  );
  return new Map(found.flat());
}

interface Compared {
  /** Of the Secret. */
  readonly name: string;
  readonly secrets: Readonly<Record<string, EngineSecret>>;
  /** What stands there for a value of here. */
  readonly textOf: (name: string, value: string) => string;
}

/** Secrets of here that a Secret has otherwise; none where it cannot be read, or is not there. */
export async function changedInCluster(
  world: World,
  place: Place,
  { name, secrets, textOf }: Compared,
): Promise<{ key: string; ref: EngineSecret }[]> {
  const live = await getObject(place, { apiVersion: 'v1', kind: 'Secret', name }, Secret).catch(
    (error: unknown) => {
      if (error instanceof BerthError && error.code === 'KUBE_FORBIDDEN') return null;
      throw error;
    },
  );
  const data = live?.data;
  if (!data) return [];
  const compared = Object.entries(secrets).map(async ([key, ref]) => {
    const there = data[key];
    if (!isOfHere(ref) || there === undefined) return [];
    const value = await resolveSecret(world, ref).catch(() => null);
    const held = Buffer.from(there, 'base64').toString('utf8');
    const same = value === null || withoutEnd(held) === withoutEnd(textOf(key, value));
    return same ? [] : [{ key, ref }];
  });
  return (await Promise.all(compared)).flat();
}

/** What a shell has put there lacks the line end that berth writes. */
function withoutEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

export function reasonOf({ key, ref }: { key: string; ref: EngineSecret }, what: string): Reason {
  return { field: `secrets.${key}`, text: `secret ${secretTitle(ref)} changed: ${what}` };
}
