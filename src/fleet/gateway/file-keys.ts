import type { SecretRef } from '../../domain/secret.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** What the master key is called: in lists, in the log, and in what its requests are counted under. */
export const masterName = 'master';

type Gateway = Pick<LoadedFleet['gateway'], 'keys' | 'masterKey'>;

/** Where the keys lie that the fleet file names, by what people call them: those of clients, and last the master key. */
export function fileKeys({ keys, masterKey }: Gateway): Readonly<Record<string, SecretRef>> {
  return { ...keys, ...(masterKey && { [masterName]: masterKey }) };
}

/** The one of these that opens the gateway's control paths too. */
export function isMaster({ masterKey }: Gateway, name: string): boolean {
  return masterKey !== undefined && name === masterName;
}
