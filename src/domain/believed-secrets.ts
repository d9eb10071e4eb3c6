import { thisMachine } from './host-access.ts';
import type { LaunchSpec } from './launch-spec.ts';
import { isOfHere } from './secret.ts';
import type { SecretRef } from './secret.ts';

/** What may be read here for one deployment, in one place. */
export interface NamedSecrets {
  /** Whether berth keeps the key there that it makes for it, and it is to run in that place. */
  readonly isOwnKey: (file: string) => boolean;
  /** What the fleet file names for it, or did as it was applied there before. */
  readonly named: readonly SecretRef[];
}

/** Under this name engines give the key that berth makes for them among their secrets, and it is sent to them with each question. */
export const keyName = 'key';

type Holder = Pick<LaunchSpec, 'secrets' | 'modelSecret'>;

/**
 * The reference that may be read in place of one of a mark, which others may have written: the very one that is named here. Null:
 * nothing is to be read.
 */
export function believedSecret(
  { name, ref }: { readonly name: string; readonly ref: SecretRef },
  allowed: NamedSecrets,
): SecretRef | null {
  // What is sent as a key is the engine's own one: a token of a hub is nothing that its server is to see.
  if (name === keyName) return 'file' in ref && allowed.isOwnKey(ref.file) ? ref : null;
  return allowed.named.find((one) => sameReference(one, ref)) ?? null;
}

/** A file that has the variable too is named as well. */
function sameReference(one: SecretRef, other: SecretRef): boolean {
  if ('file' in one) return 'file' in other && one.file === other.file;
  return 'env' in other && one.env === other.env && (other.dotenv ?? one.dotenv) === one.dotenv;
}

/** References of a mark that are not to be read, in the order of their names. */
export function unbelievedSecrets({ secrets, modelSecret }: Holder, allowed: NamedSecrets): SecretRef[] {
  const all = [...Object.entries(secrets), ...(modelSecret ? [['model', modelSecret] as const] : [])];
  return all.flatMap(([name, ref]) =>
    isOfHere(ref) && believedSecret({ name, ref }, allowed) === null ? [ref] : [],
  );
}

/** Who may write marks there is this user, or root: processes and units of the machine that berth runs on. */
export function isOwnGround(machine: string, { kind }: { readonly kind: string }): boolean {
  return machine === thisMachine && (kind === 'process' || kind === 'systemd');
}
