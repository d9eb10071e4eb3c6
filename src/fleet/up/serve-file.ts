import { BerthError } from '../../domain/errors/berth-error.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { podsKey } from './serve-pods.ts';

/** The fleet file of a gateway that serves by itself: that in force, and one that was read since. */
export interface ServedFile {
  readonly inForce: () => LoadedFleet;
  /** Reads it again; tells what is wrong, and then the old one stays. */
  readonly read: () => Promise<void>;
  /** Has what was read taken in, all of it or nothing. False: there was nothing, or the old one stays. */
  readonly take: (become: (next: LoadedFleet) => Promise<void>) => Promise<boolean>;
}

/** `reload` throws what is wrong with the file; `onRead` is told of each that could be taken in. */
export function servedFile(
  first: LoadedFleet,
  { reload, onProgress }: { reload: () => Promise<LoadedFleet>; onProgress: (line: string) => void },
  onRead: () => void,
): ServedFile {
  let inForce = asSeenFromInside(first);
  let wished: LoadedFleet | null = null;
  // One after the other: what was read last is the newest.
  let reading = Promise.resolve();
  function stays(error: unknown): void {
    const reason = error instanceof BerthError ? error.message : String(error);
    onProgress(`berth: the old configuration stays: ${reason}`);
  }
  async function readOnce(): Promise<void> {
    try {
      const next = asSeenFromInside(await reload());
      const other = otherThan(inForce, next);
      if (other !== null) return stays(other);
      wished = next;
      onRead();
    } catch (error) {
      stays(error);
    }
  }
  return {
    inForce: () => inForce,
    read: () => (reading = reading.then(readOnce)),
    take: async (become) => {
      const next = wished;
      wished = null;
      if (!next) return false;
      try {
        await become(next);
        inForce = next;
        onProgress('The fleet file was read again');
        return true;
      } catch (error) {
        stays(error);
        return false;
      }
    },
  };
}

/** What of a file cannot be taken in by one that runs; null: all can. */
function otherThan(before: LoadedFleet, next: LoadedFleet): string | null {
  if (next.fleetId !== before.fleetId || next.fleet !== before.fleet)
    return 'The file is that of another fleet. Start "berth serve" anew for it.';
  if (podsKey(next) !== podsKey(before))
    return 'The file has other engines in the cluster. Start "berth serve" anew for them.';
  return null;
}

/** Hosts are names of another machine's file here: everything is reached by the address of its pod. */
function asSeenFromInside(fleet: LoadedFleet): LoadedFleet {
  return {
    ...fleet,
    hosts: { local: { become: 'none', reserve: [] } },
    deployments: fleet.deployments.map((one) => ({ ...one, host: 'local' })),
  };
}
