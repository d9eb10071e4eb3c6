import type { World } from '../../io/world.ts';
import { apply } from '../apply/apply.ts';
import type { ApplyResult } from '../apply/apply.ts';
import type { Traffic } from '../apply/traffic.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { withRest } from '../plan/at-rest.ts';
import { preparePlan } from '../plan/prepare-plan.ts';
import { whileStale } from '../plan/stale.ts';
import type { UpPorts } from './up-ports.ts';

/** The control process, as far as bringing engines to what the file says goes. */
export interface FileInForce {
  loaded: LoadedFleet;
  readonly ports: Pick<UpPorts, 'fetch' | 'reload' | 'onProgress'>;
  readonly force: boolean;
}

/**
 * Has engines as the file in force says. Where others have changed them while it waited, the file is read again and a plan made anew.
 * Throws what stopped it.
 */
export async function applyFile(
  world: World,
  run: FileInForce,
  { signal, traffic }: { readonly signal: AbortSignal; readonly traffic: Traffic },
): Promise<void> {
  const { ports, force } = run;
  async function reload(): Promise<void> {
    run.loaded = await ports.reload();
  }
  async function attempt(): Promise<ApplyResult> {
    const planned = await preparePlan(world, run.loaded, { onWait: ports.onProgress });
    const plan = await ports.fetch(planned);
    // What was fetched is served from the store from now on.
    if (plan !== planned) await reload();
    const { onProgress } = ports;
    return apply(world, plan, { signal, onProgress, traffic, force, command: 'up' });
  }
  const { failure } = await whileStale(attempt, reload);
  if (failure) throw failure;
}

/** What the fleet file says by now. `despiteFaults`: of one with a fault the old one stays, with what was stopped by hand since. */
export async function readAnew(
  world: World,
  { loaded, ports }: FileInForce,
  despiteFaults: boolean,
): Promise<{ loaded: LoadedFleet; refused: string | null }> {
  try {
    return { loaded: await ports.reload(), refused: null };
  } catch (error) {
    if (!despiteFaults || !(error instanceof BerthError)) throw error;
    return { loaded: await withRest(world, loaded), refused: error.message };
  }
}
