import { createHash, createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { Mark, SecretHashes } from '../../domain/instance.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isOfHere, secretTitle } from '../../domain/secret.ts';
import type { Reason } from '../../domain/plan.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import { tokenOfFile } from '../../io/token-file.ts';
import type { World } from '../../io/world.ts';

/** The key of these hashes, of the machine that berth runs on; one for all of its fleets. */
function keyFile(home: World): string {
  return join(home.places.state, 'secret-hashes.key');
}

type Holder = Pick<LaunchSpec, 'secrets'>;

/** The mark with what its secrets are by now. */
export async function withSecretHashes(world: World, mark: Mark): Promise<Mark> {
  const { secrets: _before, ...rest } = mark;
  const secrets = await makeSecretHashes(world, mark.spec);
  return secrets === null ? rest : { ...rest, secrets };
}

/** Null without secrets from here. Makes the key of the hashes where there is none. */
export async function makeSecretHashes(world: World, spec: Holder): Promise<SecretHashes | null> {
  if (!Object.values(spec.secrets).some(isOfHere)) return null;
  const home = world.home ?? world;
  return hashed(home, spec, await tokenOfFile(home.files, keyFile(home)));
}

/** The same for a plan, which writes nothing: null where no mark can have been written with a key of this machine. */
export async function secretHashesOf(world: World, spec: Holder): Promise<SecretHashes | null> {
  if (!Object.values(spec.secrets).some(isOfHere)) return null;
  const home = world.home ?? world;
  const key = (await home.files.read(keyFile(home)))?.trim();
  return key ? hashed(home, spec, key) : null;
}

/** What is not there cannot be held against anything, and is told elsewhere. */
async function hashed(home: World, spec: Holder, key: string): Promise<SecretHashes> {
  const of: Record<string, string> = {};
  for (const [name, ref] of Object.entries(spec.secrets)) {
    if (!isOfHere(ref)) continue;
    const value = await resolveSecret(home, ref).catch(() => null);
    if (value !== null) of[name] = createHmac('sha256', key).update(value).digest('hex').slice(0, 32);
  }
  return { by: createHash('sha256').update(key).digest('hex').slice(0, 12), of };
}

/** One reason for each secret that is another by now than the one that the engine has read. Pure. */
export function changedSecrets(
  mark: Pick<Mark, 'secrets'>,
  spec: Holder,
  now: SecretHashes | null,
  what = 'restart',
): Reason[] {
  const before = mark.secrets;
  if (!before || before.by !== now?.by) return [];
  return Object.entries(spec.secrets).flatMap(([name, ref]) => {
    const [was, is] = [before.of[name], now.of[name]];
    if (was === undefined || is === undefined || was === is) return [];
    return [{ field: `secrets.${name}`, text: `secret ${secretTitle(ref)} changed: ${what}` }];
  });
}

/** Whether a change is for the sake of a secret: the engine has to be given its files anew. */
export function isForSecret({ field }: Reason): boolean {
  return field?.startsWith('secrets.') ?? false;
}
