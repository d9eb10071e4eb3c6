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
import { placesOf } from './places.ts';
import type { World } from './world.ts';

/** This machine. */
export function localWorld(options: { stateDir?: string; log?: Log } = {}): World {
  const env = process.env;
  const stateDir = options.stateDir ?? env['BERTH_STATE_DIR'];
  return {
    machine: thisMachine,
    become: 'none',
    exec: localExec,
    files: localFiles,
    http: systemHttp,
    clock: systemClock,
    log: options.log ?? createLog({ level: 'info', json: env['BERTH_LOG'] === 'json' }),
    places: placesOf(env, stateDir && resolve(stateDir)),
    env,
    proc: '/proc',
    procfs() {
      return this.proc;
    },
    uid: process.getuid?.() ?? -1,
    logFiles: localLogFiles,
    locks: localLocks,
    reach: (where) => Promise.resolve(where),
    open: (where) => Promise.reject(new Error(`No way to ${where}.`)),
    close: () => Promise.resolve(),
  };
}
