import type { World } from '../../io/world.ts';
import type { FleetPaths } from '../file/paths.ts';
import type { UpState } from './up-state.ts';

/** The file by which others know of this `berth up`, and the one with the fleet that it serves. */
export interface StateFile {
  readonly write: () => Promise<UpState>;
  /** Writes what is so by now, if it was written before: until then nothing serves. A fault is left to the next time. */
  readonly again: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Writes are one after the other, each of what is so when its turn comes: the last one holds. */
export function createStateFile(
  world: World,
  paths: Pick<FleetPaths, 'up' | 'taken'>,
  read: () => { readonly state: UpState; readonly taken: unknown },
): StateFile {
  let last: Promise<unknown> | null = null;
  function write(): Promise<UpState> {
    const done = (last ?? Promise.resolve()).then(async () => {
      const { state, taken } = read();
      await world.files.write(paths.taken, JSON.stringify(taken));
      await world.files.write(paths.up, JSON.stringify(state, null, 2));
      return state;
    });
    last = done.catch(() => {});
    return done;
  }
  return {
    write,
    again: async () => {
      if (last !== null) await write().catch(() => {});
    },
    remove: async () => {
      await last;
      last = null;
      await world.files.remove(paths.up);
      await world.files.remove(paths.taken);
    },
  };
}
