import { join } from 'node:path';
import type { Places } from '../../io/places.ts';
import type { World } from '../../io/world.ts';

/** Where a fleet keeps what is its own. */
export interface FleetPaths {
  readonly state: string;
  readonly logs: string;
  /** Keys that were made for clients of the gateway, hashed. */
  readonly keys: string;
  /** What engines read their secrets from, on their host. */
  readonly engineSecrets: string;
  /** Own keys of engines, a file for each deployment. */
  readonly engineKeys: string;
  /** Who changed what when, a line of JSON each. */
  readonly journal: string;
  /** Deployments that were stopped by hand. */
  readonly atRest: string;
  /** The fleet's files as they were when they were last applied. */
  readonly applied: string;
  /** Where deployments were applied, and which secrets they had there. */
  readonly appliedSecrets: string;
  /** Of the control process: its state, the gateway's configuration. */
  readonly runtime: string;
  readonly up: string;
  /** What the gateway has taken of the files. */
  readonly taken: string;
  /** Keys of engines, for the gateway alone. */
  readonly secrets: string;
  /** Holds the token of console and control API. */
  readonly controlToken: string;
  readonly gatewayConfig: string;
  readonly gatewayLog: string;
  readonly upLog: string;
}

/** What tells fleets apart: two of one name share neither engines nor files. */
export interface FleetIdentity {
  readonly fleet: string;
  readonly fleetId: string;
}

function folderName({ fleet, fleetId }: FleetIdentity): string {
  return `${fleet}-${fleetId}`;
}

const keysFolder = 'engine-keys';

/** Whether the own key of this engine lies there, in the folder of whoever applied it. */
export function isEngineKey(
  path: string,
  { deployment, ...fleet }: FleetIdentity & { deployment: string },
): boolean {
  return path.endsWith(`/${join(folderName(fleet), keysFolder, deployment)}`);
}

/** A plan asks for them with every engine. */
const known = new WeakMap<Places, Map<string, FleetPaths>>();

export function fleetPaths({ places }: World, identity: FleetIdentity): FleetPaths {
  const ofPlaces = known.get(places) ?? new Map<string, FleetPaths>();
  known.set(places, ofPlaces);
  const name = folderName(identity);
  const paths = ofPlaces.get(name) ?? pathsIn(places, name);
  ofPlaces.set(name, paths);
  return paths;
}

function pathsIn(places: Places, name: string): FleetPaths {
  const state = join(places.state, name);
  const logs = join(state, 'logs');
  const runtime = join(places.runtime, name);
  return {
    state,
    logs,
    keys: join(state, 'keys.json'),
    engineSecrets: join(state, 'secrets'),
    engineKeys: join(state, keysFolder),
    journal: join(state, 'journal.jsonl'),
    atRest: join(state, 'at-rest.json'),
    applied: join(state, 'applied.json'),
    appliedSecrets: join(state, 'applied-secrets.json'),
    runtime,
    up: join(runtime, 'up.json'),
    taken: join(runtime, 'taken.json'),
    secrets: join(runtime, 'secrets'),
    controlToken: join(runtime, 'control-token'),
    gatewayConfig: join(runtime, 'gateway.json'),
    gatewayLog: join(logs, 'gateway.log'),
    upLog: join(logs, 'up.log'),
  };
}

export function engineLog(paths: FleetPaths, deployment: string, replica: number): string {
  return join(paths.logs, `${deployment}-${replica}.log`);
}

/**
 * Whoever changes engines on this host holds this lock: one at a time, over all users and their logins, who may change the same
 * units and containers; of places apart (`--state-dir`) over all fleets there.
 */
export function hostLock({ places }: Pick<World, 'places'>): string {
  return places.apart ? `host ${places.runtime}` : 'host';
}

/** Held by the control process of a fleet as long as it lives. */
export function upLock(world: World, identity: FleetIdentity): string {
  return `up ${world.places.runtime} ${folderName(identity)}`;
}
