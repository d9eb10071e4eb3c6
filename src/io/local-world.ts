import { resolve } from 'node:path';
import { thisMachine } from '../domain/host-access.ts';
import { systemClock } from './clock.ts';
import { localExec } from './exec.ts';
import { localFiles } from './files.ts';
import { systemHttp } from './http.ts';
import { localLocks } from './lock.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { localLogFiles } from './log-file.ts';
import { machineIdentity } from './machine-identity.ts';
import { placesOf } from './places.ts';
import type { World } from './world.ts';

/** This machine. */
export function localWorld(options: { stateDir?: string; log?: Log } = {}): World {
  const env = process.env;
  const stateDir = options.stateDir ?? env['BERTH_STATE_DIR'];
  const places = placesOf(env, stateDir && resolve(stateDir));
  const opened = openedWorlds();
  return {
    machine: thisMachine,
    become: 'none',
    exec: localExec,
    files: localFiles,
    http: systemHttp,
    clock: systemClock,
    log: options.log ?? createLog({ level: 'info', json: env['BERTH_LOG'] === 'json' }),
    places,
    env,
    proc: '/proc',
    procfs() {
      return this.proc;
    },
    uid: process.getuid?.() ?? -1,
    logFiles: localLogFiles,
    locks: localLocks(),
    reach: (where) => Promise.resolve(where),
    open(where) {
      return opened.open(this, where);
    },
    close: opened.close,
  };
}

/** One that does not answer is not asked again at once: each question would wait for it anew. */
const askAgainMs = 5_000;

function openedWorlds(): {
  open: (home: World, where: string) => Promise<World>;
  close: () => Promise<void>;
} {
  const known = new Map<string, Promise<World>>();
  const ending = new AbortController();
  const identities = new Map([[machineIdentity(), thisMachine]]);

  async function openNew(home: World, where: string): Promise<World> {
    const { openFarWorld } = await import('./ssh/world.ts');
    try {
      return await openFarWorld(home, where, { known: identities, ending: ending.signal });
    } catch (error) {
      setTimeout(() => known.delete(where), askAgainMs).unref();
      throw error;
    }
  }

  return {
    open: (home, where) => {
      const there = known.get(where) ?? openNew(home, where);
      known.set(where, there);
      return there;
    },
    close: async () => {
      ending.abort();
      const all = await Promise.allSettled(known.values());
      known.clear();
      await Promise.all(all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : [])));
    },
  };
}
