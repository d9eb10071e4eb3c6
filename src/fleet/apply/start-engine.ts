import { withPlacesOf } from '../../domain/given-files.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Effect } from '../../domain/journal.ts';
import { leftText } from '../../domain/left.ts';
import type { World } from '../../io/world.ts';
import type { Started, StartRequest } from '../../targets/contract.ts';
import { targetOf } from '../../targets/registry.ts';
import { makeEngineKey } from './engine-key.ts';
import type { Journal } from './journal.ts';
import { seenOn } from '../file/hosts.ts';
import { expectNamedSecrets } from '../file/named-secrets.ts';
import { fleetPaths } from '../file/paths.ts';
import { bringGiven } from '../plan/given-elsewhere.ts';
import { withSecretHashes } from '../plan/secret-hashes.ts';
import { isUnreached, waitReady } from './ready.ts';

export interface StartedEngine {
  readonly instance: Instance;
  /** The last lines that it has said since this start. */
  readonly lines: Started['lines'];
  /**
   * Resolves once it answers. One that never does, or is not waited for any longer, is removed again, but for what `updatesBeside`
   * and what its cluster calls ready. The journal tells of that before it begins: whoever is killed over it leaves one that runs.
   */
  readonly ready: (signal: AbortSignal) => Promise<void>;
}

/** How an engine comes to run: as a new object, or as the one that is there, changed or started once more. */
export type StartWay =
  | { readonly way: 'create' }
  | { readonly way: 'update'; readonly instance: Instance }
  | { readonly way: 'restart'; readonly instance: Instance };

/** What a target is asked for, made from a mark. */
export function startRequest(world: World, mark: Mark, withheld: readonly string[]): StartRequest {
  return {
    mark,
    address: mark.address,
    port: mark.port,
    logFile: mark.logFile,
    stateDir: fleetPaths(world, mark).state,
    withheld,
  };
}

/** Starts one engine on the host of this world; it does not answer yet. Throws SECRET_NOT_NAMED before anything is read for it. */
export async function startEngine(
  world: World,
  stated: Mark,
  {
    withheld,
    journal,
    hostName,
    how = { way: 'create' },
    keepsOld = false,
    onProgress,
  }: {
    withheld: readonly string[];
    journal: Journal;
    /** Of its host, in the file. */
    hostName: string;
    how?: StartWay;
    keepsOld?: boolean;
    onProgress?: (line: string) => void;
  },
): Promise<StartedEngine> {
  const target = targetOf(stated.target.kind);
  expectNamedSecrets(world, stated);
  if (how.way === 'restart' && how.instance.mark)
    expectNamedSecrets(world, how.instance.mark, how.instance.object.name);
  await makeEngineKey(world, stated);
  const mark = await withSecretHashes(world, stated);
  const request = startRequest(world, mark, withheld);
  await bringGiven(world, request);
  const made = await startBy(world, { ...request, keepsOld, ...(onProgress ? { onProgress } : {}) }, how);
  const instance = seenOn(world, made.instance);
  const started = { ...made, instance };
  return {
    instance,
    lines: started.lines,
    ready: async (signal) => {
      try {
        await waitReady(world, { started, mark, signal });
      } catch (error) {
        if (!isUnreached(error) && (how.way === 'create' || !target.updatesBeside)) {
          await journal.record(endOf(mark, instance, hostName), async () => {
            await target.remove(world, instance, mark.spec.stop);
            return null;
          });
          for (const left of (await target.leaves?.(world, mark)) ?? []) onProgress?.(leftText(left));
        }
        throw error;
      }
    },
  };
}

function endOf({ deployment, replica }: Mark, { object }: Instance, host: string): Effect {
  const reasons = ['it was started and is not waited for any longer'];
  return { do: 'stop', host, deployment, replica, object: object.name, reasons };
}

function startBy(world: World, request: StartRequest, how: StartWay): Promise<Started> {
  const { mark } = request;
  const target = targetOf(mark.target.kind);
  if (how.way === 'update' && target.update) return target.update(world, how.instance, request, mark.target);
  if (how.way === 'restart' && target.restart)
    return target.restart(world, inPlaceOf(how.instance, mark), request);
  return target.create(world, request, mark.target);
}

/** What runs may not tell where its files lie, and whoever has it started anew knows. */
function inPlaceOf(instance: Instance, { spec }: Mark): Instance {
  const { mark } = instance;
  return mark ? { ...instance, mark: { ...mark, spec: withPlacesOf(mark.spec, spec) } } : instance;
}
