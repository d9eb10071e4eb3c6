import { targetOf } from '../targets/registry.ts';
import type { Instance } from '../domain/instance.ts';
import type { World } from '../io/world.ts';
import type { BerthError } from '../domain/errors/berth-error.ts';
import { takeHostLocks } from './host-locks.ts';
import { accessOf, worldOfInstance } from './hosts.ts';
import { instancesOf, observeFleet } from './observe.ts';
import { fleetPaths } from './paths.ts';
import type { FleetIdentity } from './paths.ts';
import type { LoadedFleet } from './resolve.ts';
import { isProcess, readUpState } from './up-state.ts';

const upGraceMs = 60_000;
const pollMs = 100;

/** Ends the fleet: the control process first, so that it restarts nothing, then every engine with this fleet's mark. */
export async function down(
  world: World,
  loaded: LoadedFleet,
  onProgress: (line: string) => void,
): Promise<{ up: number | null; stopped: Instance[]; silent: ReadonlyMap<string, BerthError> }> {
  const upPid = await endUp(world, loaded, onProgress);
  const before = await observeFleet(world, loaded.hosts);
  const { silent } = before;
  const answering = Object.entries(loaded.hosts).filter(([name]) => !silent.has(name));
  const hosts = Object.fromEntries(answering);
  using _locks = await takeHostLocks(
    world,
    answering.map(([, host]) => accessOf(host)),
    {
      who: `berth down of fleet ${loaded.fleet}`,
      onProgress,
    },
  );
  const running = instancesOf(await observeFleet(world, hosts), loaded);
  await Promise.all(
    running.map(async (one) => {
      if (!one.mark) return;
      onProgress(`Stopping ${one.mark.deployment} (${one.object.name})`);
      await targetOf(one.mark.target.kind).remove(
        await worldOfInstance(world, loaded.hosts, one),
        one,
        one.mark.spec.stop,
      );
    }),
  );
  // The next start writes the keys of engines again, and makes a new token for the console.
  const paths = fleetPaths(world, loaded);
  await world.files.remove(paths.secrets);
  await world.files.remove(paths.controlToken);
  return { up: upPid, stopped: running, silent };
}

async function endUp(
  world: World,
  fleet: FleetIdentity,
  onProgress: (line: string) => void,
): Promise<number | null> {
  const state = await readUpState(world, fleet);
  if (!state) return null;
  const { pid } = state.process;
  onProgress(`Ending berth up (process ${pid})`);
  await world.exec.kill(pid, 'SIGTERM');
  const until = world.clock.now() + upGraceMs;
  while (isProcess(world, state.process)) {
    if (world.clock.now() > until) await world.exec.kill(pid, 'SIGKILL');
    await world.clock.sleep(pollMs);
  }
  return pid;
}
