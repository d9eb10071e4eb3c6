import { randomBytes } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { placesOf } from '../places.ts';
import type { World } from '../world.ts';
import { connect } from './connection.ts';
import { farExec } from './exec.ts';
import { farFiles } from './files.ts';
import { farHttp, loopbackPlace } from './http.ts';
import { farLocks } from './locks.ts';
import { farLogFiles } from './log-files.ts';
import { farProcfs } from './processes.ts';

/**
 * Another machine by ssh. Throws why it cannot be reached, what it lacks, or that it is one that is open under another name
 * (`known`, by identity): its engines would be seen twice, and the second sight of each be taken for one too many.
 */
export async function openFarWorld(
  home: World,
  where: string,
  { known, ending }: { known: Map<string, string>; ending: AbortSignal },
): Promise<World> {
  const link = await connect(where, ending);
  const { env, uid, wallMs, identity } = link.facts;
  const other = known.get(identity) ?? where;
  known.set(identity, other);
  if (other !== where) {
    await link.close();
    throw new BerthError('HOST_TWICE', { host: where, other });
  }
  const skewMs = wallMs - home.clock.wall().getTime();
  const places = placesOf(env);
  // Its clock tells whole seconds, some time ago: only what is off by more is more than that.
  const clock =
    Math.abs(skewMs) < skewLimitMs
      ? home.clock
      : { ...home.clock, wall: () => new Date(home.clock.wall().getTime() + skewMs) };
  async function reach(url: string): Promise<string> {
    if (url.startsWith('unix:'))
      return `unix://${await link.forward(decodeURIComponent(new URL(url).pathname))}`;
    const place = loopbackPlace(url);
    if (place === null) return url;
    return `${new URL(url).protocol}//${await link.forward(place)}`;
  }
  return {
    machine: where,
    identity,
    become: 'none',
    exec: farExec(link),
    files: farFiles(link),
    http: farHttp(home.http, reach),
    clock,
    log: home.log,
    places,
    env,
    proc: '/proc',
    procfs: farProcfs(link, () => randomBytes(12).toString('hex')),
    uid,
    logFiles: farLogFiles(link, clock),
    locks: farLocks(link),
    reach,
    home,
    open: home.open,
    close: link.close,
  };
}

const skewLimitMs = 5_000;
