import { createHash } from 'node:crypto';
import type { ClientKey } from '../../domain/client-key.ts';
import { limitsWithin } from '../../domain/key-limits.ts';
import type { KeyLimits } from '../../domain/key-limits.ts';
import type { KeyRecord, KeyView } from '../../domain/key-record.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { fileKeys, isMaster } from './file-keys.ts';
import { readKeys } from './key-file.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/**
 * All keys of clients: those that the fleet file names and those that were made. `wanted`: a request without one is refused, which
 * holds from the first key on, also when that has been revoked, so that taking away the last key does not open the door; unless the
 * file allows it.
 */
export async function clientKeys(
  world: World,
  loaded: LoadedFleet,
): Promise<{ keys: ClientKey[]; wanted: boolean }> {
  const named = await Promise.all(
    Object.entries(fileKeys(loaded.gateway)).map(async ([name, ref]) => ({
      ...plainKey(name, await resolveSecret(world, ref)),
      ...(isMaster(loaded.gateway, name) && { control: true }),
    })),
  );
  const made = await readKeys(world, loaded);
  return {
    keys: [...named, ...(made ?? []).flatMap(keysOfRecord)],
    wanted: (named.length > 0 || made !== null) && !loaded.gateway.allowAnonymous,
  };
}

/** A key that is bounded by nothing. */
export function plainKey(name: string, key: string): ClientKey {
  return { id: name, name, sha256: createHash('sha256').update(key).digest('hex') };
}

/** After a rotation there are two: the new secret, and the old one until its end. */
function keysOfRecord(record: KeyRecord): ClientKey[] {
  const { id, name, models, endpoints, control, limits, expiresAt, previous } = record;
  const key: ClientKey = {
    id,
    name,
    sha256: record.sha256,
    ...(models && { models }),
    ...(endpoints && { endpoints }),
    ...(control && { control }),
    ...(limits && { limits }),
    ...(expiresAt !== null && { expiresAt }),
  };
  if (!previous) return [key];
  const ends = expiresAt !== null && expiresAt < previous.until ? expiresAt : previous.until;
  return [key, { ...key, sha256: previous.sha256, expiresAt: ends }];
}

/** What `berth keys list` and the console show, those of the file first. */
export async function keyViews(world: World, loaded: LoadedFleet): Promise<KeyView[]> {
  const now = world.clock.wall();
  const made = (await readKeys(world, loaded)) ?? [];
  const each = loaded.gateway.limits.eachKey ?? {};
  const named = Object.keys(fileKeys(loaded.gateway)).map((name) =>
    viewOfNamed(name, isMaster(loaded.gateway, name), each),
  );
  return [...named, ...made.map((one) => viewOf(one, { now, each }))];
}

/** As the gateway takes them: what is said for each key is not for those of control. */
function boundsOf({ control, limits }: Pick<KeyView, 'control' | 'limits'>, each: KeyLimits): KeyLimits {
  return limitsWithin(control ? {} : each, limits);
}

function viewOfNamed(name: string, control: boolean, each: KeyLimits): KeyView {
  return {
    id: name,
    name,
    source: 'file',
    state: 'active',
    models: null,
    endpoints: null,
    control,
    limits: null,
    bounds: boundsOf({ control, limits: null }, each),
    createdAt: null,
    rotatedAt: null,
    expiresAt: null,
    previousUntil: null,
  };
}

/** `each`: what is said for every key. */
export function viewOf(record: KeyRecord, { now, each }: { now: Date; each: KeyLimits }): KeyView {
  const { sha256: _hash, previous, ...shown } = record;
  const at = now.toISOString();
  return {
    ...shown,
    source: 'made',
    bounds: boundsOf(record, each),
    state: record.expiresAt !== null && record.expiresAt <= at ? 'expired' : 'active',
    previousUntil: previous && previous.until > at ? previous.until : null,
  };
}
