import { machineOf } from '../../domain/host-access.ts';
import type { Instance, Mark, ProcessId } from '../../domain/instance.ts';
import type { Effect, JournalEntry } from '../../domain/journal.ts';
import { targetOf } from '../../targets/registry.ts';
import type { Hosts } from '../file/hosts.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { Successor } from '../apply/traffic.ts';

/** What somebody who has changed engines says of it. */
export interface Told {
  readonly to?: Successor | null;
  /** It has another journal, which is not read here, so that it may have ended all that is gone. */
  readonly elsewhere?: boolean | undefined;
  /** Where the fleet file has a fault, the old one stays. */
  readonly despiteFaults?: boolean;
}

/** A restart that came to nothing is no wish to have nothing there: what this very process has done does not count. Pure. */
export function byOthers(entries: readonly JournalEntry[], own: ProcessId): JournalEntry[] {
  return entries.filter(
    ({ process: { bootId, pid, startTicks } }) =>
      bootId !== own.bootId || pid !== own.pid || startTicks !== own.startTicks,
  );
}

/** What leaves an engine that was there to be started again by whoever watches it. */
const leaves: readonly Effect['do'][] = ['restart', 'adopt', 'close file'];

/**
 * Whether a command has ended it, or may have: what is gone and was not ended has ended by itself, also in the moment in which a
 * command tells of another. Of one without a known start any entry with its name counts. Pure.
 */
function isEndedByOthers(
  { object, host, startedAt }: Pick<Instance, 'object' | 'host' | 'startedAt'>,
  entries: readonly JournalEntry[],
  hosts: Hosts,
): boolean {
  return entries.some(
    (entry) =>
      entry.object === object.name &&
      entry.host !== null &&
      machineOf(hosts[entry.host]) === host &&
      !leaves.includes(entry.do) &&
      (startedAt === null || Date.parse(entry.at) >= Date.parse(startedAt)),
  );
}

/** Whether the file has this very replica there. Pure. */
function isOfTheFile(
  { mark, host }: { readonly mark: Mark; readonly host: string },
  { deployments, hosts }: Pick<LoadedFleet, 'deployments' | 'hosts'>,
): boolean {
  return deployments.some(
    (one) =>
      one.name === mark.deployment &&
      mark.replica < one.replicas &&
      one.target.kind === mark.target.kind &&
      machineOf(hosts[one.host]) === host,
  );
}

/**
 * Whether one that is gone is to be started again by who watches it. `ended`: null where that is not known. What its target looks
 * after comes back by that, or is gone for good. Pure.
 */
export function isToRun(
  one: Instance & { readonly mark: Mark },
  { loaded, ended }: { readonly loaded: LoadedFleet; readonly ended: readonly JournalEntry[] | null },
): boolean {
  return (
    ended !== null &&
    !targetOf(one.mark.target.kind).supervises &&
    isOfTheFile(one, loaded) &&
    !isEndedByOthers(one, ended, loaded.hosts)
  );
}
