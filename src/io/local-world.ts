import { resolve } from 'node:path';
import { systemClock } from './clock.ts';
import { localExec } from './exec.ts';
import { localFiles } from './files.ts';
import { systemHttp } from './http.ts';
import { createLog } from './log.ts';
import type { Log } from './log.ts';
import { placesOf } from './places.ts';
import type { World } from './world.ts';

/** This machine. */
export function localWorld(options: { stateDir?: string; log?: Log } = {}): World {
  const env = process.env;
  const stateDir = options.stateDir ?? env['BERTH_STATE_DIR'];
  return {
    become: 'none',
    exec: localExec,
    files: localFiles,
    http: systemHttp,
    clock: systemClock,
    log: options.log ?? createLog({ level: 'info', json: env['BERTH_LOG'] === 'json' }),
    places: placesOf(env, stateDir && resolve(stateDir)),
    env,
    proc: '/proc',
  };
}
