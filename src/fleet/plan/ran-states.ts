import { join } from 'node:path';
import { givenIn } from '../../domain/given-files.ts';
import { isInPart, placeCalled } from '../../domain/fleet-part.ts';
import type { FleetPart } from '../../domain/fleet-part.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { parseJson } from '../../domain/json.ts';
import type { Wanted } from '../../domain/plan.ts';
import { RanStates } from '../../domain/ran-states.ts';
import type { RanState } from '../../domain/ran-states.ts';
import { dropGiven, givenFolder, givenFolders, keepGiven, secretFile } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import { targetOf, targetsOn } from '../../targets/registry.ts';
import { sameSpec, sameValue } from './differences.ts';
import { givenElsewhere } from './given-elsewhere.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';

/** One replica, and the kind of target that runs it. */
export interface Place {
  readonly deployment: string;
  readonly replica: number;
  readonly target: { readonly kind: string };
}

/** The one that runs and the one before it. */
const kept = 2;

/**
 * What ran in this place: as its target keeps it with the object, for all who may change that, or as the host keeps it beside the
 * engine's log, whichever is newer. One that is missing or broken tells nothing, and nothing ran there by a target that this host
 * cannot have: whoever may change a cluster would have processes started on the machine of whoever goes back.
 */
export async function readRan(host: World, fleet: FleetIdentity, place: Place): Promise<RanState[]> {
  const [own, shared] = await Promise.all([
    host.files.read(pathOf(host, fleet, place)),
    targetOf(place.target.kind).record.read(host, { ...fleet, ...place }),
  ]);
  const kinds = new Set<string>(targetsOn(host).map(({ kind }) => kind));
  return newer(statesIn(own), statesIn(shared)).filter(({ target }) => kinds.has(target.kind));
}

/**
 * Keeps what runs in this place, or ran until now, beside what ran before it. The same once more, as a restart brings it,
 * pushes nothing out. The file is written whole or not at all, and is readable by its user alone; whoever else may change the object
 * finds it with that. What another kind of target had of it goes once it is kept here.
 */
export async function keepRan(
  host: World,
  { fleet, place, state }: { fleet: FleetIdentity; place: Omit<Place, 'target'>; state: RanState },
): Promise<void> {
  const where: Place = { deployment: place.deployment, replica: place.replica, target: state.target };
  const known = await readRan(host, fleet, where);
  const states = withState(known, state);
  const file: RanStates = { version: 1, states };
  const path = pathOf(host, fleet, where);
  if (!sameValue(statesIn(await host.files.read(path)), states))
    await host.files.write(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  const { record } = targetOf(state.target.kind);
  const shared = { ...fleet, ...where };
  const given = { mark: where, stateDir: fleetPaths(host, fleet).state };
  const isGiven = [...known, ...states].some(({ spec }) => Object.keys(givenIn(spec)).length > 0);
  const specs = states.map(({ spec }) => spec);
  const files = isGiven
    ? await keepGiven(host, given, { specs, elsewhere: (digest) => givenElsewhere(host, shared, digest) })
    : {};
  if (!sameValue(statesIn(await record.read(host, shared)), states))
    await record.keep(host, shared, JSON.stringify(file), files);
  if (isGiven) await dropGiven(host, given, specs);
  const others = new Set(known.map(({ target }) => target.kind).filter((kind) => kind !== state.target.kind));
  for (const other of targetsOn(host)) if (others.has(other.kind)) await other.record.drop?.(host, shared);
}

/**
 * Forgets what ran in a place that nothing will come into, with copies of what its engines were given (`secrets`: by these names).
 * What its target keeps goes with the object.
 */
export async function forgetRan(
  host: World,
  fleet: FleetIdentity,
  { place, secrets }: { place: Omit<Place, 'target'>; secrets: readonly string[] },
): Promise<void> {
  const { deployment, replica } = place;
  const given = { mark: { deployment, replica }, stateDir: fleetPaths(host, fleet).state };
  await host.files.remove(pathOf(host, fleet, place));
  await dropGiven(host, given, []);
  await host.files.remove(givenFolder(given));
  for (const name of secrets) await host.files.remove(secretFile(given, name));
}

/** Takes away all that targets keep of these places on a host, also where nothing is there any more. */
export async function dropRecords(host: World, part: FleetPart): Promise<void> {
  for (const { record } of targetsOn(host)) await record.drop?.(host, part);
}

/** Forgets what ran in these places, of which nothing is there any more, with copies of all that their engines were given. */
export async function forgetPart(host: World, part: FleetPart): Promise<void> {
  for (const place of await placesKept(host, part)) {
    const states = statesIn(await host.files.read(pathOf(host, part, place)));
    await forgetRan(host, part, { place, secrets: states.flatMap(({ spec }) => Object.keys(spec.secrets)) });
  }
}

/** Those of this part that have something in the folder of the fleet on that host. */
export async function placesKept(host: World, part: FleetPart): Promise<Omit<Place, 'target'>[]> {
  const folders = [ranFolder(host, part), givenFolders(fleetPaths(host, part).state)];
  const found = await Promise.all(folders.map((folder) => host.files.list(folder)));
  const names = new Set(found.flat().map((name) => name.replace(/\.json$/, '')));
  return [...names].flatMap((inside) => (isInPart(inside, part) ? (placeCalled(inside) ?? []) : []));
}

function statesIn(text: string | null): RanState[] {
  return RanStates.safeParse(parseJson(text ?? '')).data?.states ?? [];
}

/** Pure. */
function newer(own: RanState[], shared: RanState[]): RanState[] {
  const [mine = '', theirs = ''] = [own.at(-1)?.at, shared.at(-1)?.at];
  return theirs >= mine && shared.length > 0 ? shared : own;
}

export function ranFolder(host: World, fleet: FleetIdentity): string {
  return join(fleetPaths(host, fleet).state, 'ran');
}

function pathOf(host: World, fleet: FleetIdentity, { deployment, replica }: Omit<Place, 'target'>): string {
  return join(ranFolder(host, fleet), `${deployment}-${replica}.json`);
}

/** Pure. */
export function withState(states: readonly RanState[], state: RanState): RanState[] {
  const last = states.at(-1);
  if (last && isSame(last, state))
    return [...states.slice(0, -1), { ...last, port: state.port, pinned: last.pinned || state.pinned }];
  return [...states.filter((one) => !isSame(one, state)), state].slice(-kept);
}

/** The newest that is not the one that runs now. Pure. */
export function stateBefore(states: readonly RanState[], now: Omit<RanState, 'at'> | null): RanState | null {
  // A mark does not say whether its port was named in the file; what was kept does.
  const known = now && (states.find((one) => one.port === now.port && isSame(one, now)) ?? now);
  return states.findLast((one) => known === null || !isSame(one, known)) ?? null;
}

/** A port of the pool changes with every replacement beside the old engine: that alone is no other state. */
function isSame(a: Omit<RanState, 'at'>, b: Omit<RanState, 'at'>): boolean {
  const otherPort = a.port !== b.port && a.pinned && b.pinned;
  return !otherPort && sameSpec(a.spec, b.spec) && sameValue(a.target, b.target);
}

/** Of an engine that is there; whether the file had named its port is not known. */
export function stateOfMark(mark: Mark, { startedAt }: Instance, otherwise: string): RanState {
  const { target, address, port, declared, spec } = mark;
  return { at: startedAt ?? otherwise, target, address, port, pinned: false, declared, spec };
}

export function stateOfWanted(
  { target, address, port, pinned, declared, spec }: Wanted,
  at: string,
): RanState {
  return { at, target, address, port, pinned: pinned ?? false, declared, spec };
}
