import { BerthError } from '../../domain/errors/berth-error.ts';
import { isInPart, isSamePlace } from '../../domain/fleet-part.ts';
import type { FleetPart, ReplicaPlace } from '../../domain/fleet-part.ts';
import { parseJson } from '../../domain/json.ts';
import { RanStates } from '../../domain/ran-states.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import { digestOf } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { MarkedPlace } from '../contract.ts';
import { VolumeList } from './answers.ts';
import { daemonsHere, must } from './daemon.ts';
import { apiOf, markedContainers } from './observe.ts';

/**
 * Labels of a container cannot be changed once it runs, so what ran in a place is the label of an empty volume of the same daemon: who
 * may use that may change the containers too. One text is one volume, which is there before the one of before goes.
 */
const fleetOf = 'berth.dev/ran-of';
const placeOf = 'berth.dev/ran-in';
const sinceLabel = 'berth.dev/ran-kept';
const textLabel = 'berth.dev/ran';
/** Of a volume with one of the files that engines were given, which are no secrets: which one it is, and what it holds. */
const fileLabel = 'berth.dev/ran-file';
const textOfFile = 'berth.dev/ran-file-text';

interface Kept {
  readonly name: string;
  /** The daemon is one of this host: who may use that may have anything done there. */
  readonly isHere: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** A proxy before the socket may show no volumes. */
const unshown = [403, 404, 405, 501];

/**
 * What was kept for the containers of this place, the newest of it; null where nothing was, or nobody can be asked. Of a daemon elsewhere
 * nothing is believed that names another kind of target: whoever may use that would have processes started on this machine.
 */
export async function readRecord(world: World, place: MarkedPlace): Promise<string | null> {
  const newest = (await keptIn(world, place))
    .filter(({ isHere, labels }) => isHere || isOfContainers(labels[textLabel]))
    .filter(({ labels }) => labels[textLabel] !== undefined)
    .toSorted((a, b) => ((a.labels[sinceLabel] ?? '') < (b.labels[sinceLabel] ?? '') ? -1 : 1))
    .at(-1);
  return newest?.labels[textLabel] ?? null;
}

function isOfContainers(text: string | undefined): boolean {
  const states = RanStates.safeParse(parseJson(text ?? '')).data?.states ?? [];
  return states.every(({ target }) => target.kind === 'docker');
}

/** One of the files that were kept with it; null where it is not there. */
export async function readRecordFile(world: World, place: MarkedPlace, name: string): Promise<string | null> {
  const kept = (await keptIn(world, place)).find(({ labels }) => labels[fileLabel] === name);
  return kept?.labels[textOfFile] ?? null;
}

/** Keeps a text for the containers of this place, and these files in place of those of before. Nothing where there is none. */
export async function keepRecord(
  world: World,
  place: MarkedPlace,
  text: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const one = (await markedContainers(world)).find(({ mark }) => isSamePlace(mark, place));
  if (!one) return;
  const { api } = await apiOf(world, one);
  const there = await keptBy(world, api, place);
  if (there === null) return;
  const since = world.clock.wall().toISOString();
  for (const [name, held] of Object.entries(files))
    if (!there.some(({ labels }) => labels[fileLabel] === name))
      await make(world, api, place, { [fileLabel]: name, [textOfFile]: held });
  const kept = await make(world, api, place, { [sinceLabel]: since, [textLabel]: text });
  for (const { name, labels } of there)
    if (name !== kept && !((labels[fileLabel] ?? '') in files)) await remove(world, api, name);
}

/** Takes away what was kept for these places, whatever became of their containers. A daemon that cannot be asked keeps it. */
export async function dropRecord(world: World, part: FleetPart): Promise<void> {
  await orNothing(async () => {
    for (const api of await daemonsHere(world))
      await orNothing(async () => {
        for (const { name } of (await keptBy(world, api, part)) ?? []) await remove(world, api, name);
      });
  });
}

/** What a daemon cannot be asked is not known. */
async function orNothing<Found>(ask: () => Promise<Found>): Promise<Found | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof BerthError) return null;
    throw error;
  }
}

/** The same, once there is no container of this place any more. */
export async function dropUnused(world: World, place: ReplicaPlace): Promise<void> {
  const left = await markedContainers(world);
  if (!left.some(({ mark }) => isSamePlace(mark, place))) await dropRecord(world, place);
}

async function keptIn(world: World, part: FleetPart): Promise<Kept[]> {
  const daemons = (await orNothing(() => daemonsHere(world))) ?? [];
  const found = await Promise.all(daemons.map((api) => orNothing(() => keptBy(world, api, part))));
  return found.flatMap((kept) => kept ?? []);
}

/** Null where the daemon shows no volumes. */
async function keptBy(world: World, api: DockerApi, part: FleetPart): Promise<Kept[] | null> {
  const fleet = `${part.fleet}-${part.fleetId}`;
  const filters = encodeURIComponent(JSON.stringify({ label: [`${fleetOf}=${fleet}`] }));
  const path = `/volumes?filters=${filters}`;
  const { status, json } = await must(world, api, { method: 'GET', path, fine: [200, ...unshown] });
  if (status !== 200) return null;
  return (VolumeList.safeParse(json).data?.Volumes ?? []).flatMap(({ Name, Labels }) =>
    Labels?.[fleetOf] === fleet && isInPart(Labels[placeOf] ?? '', part)
      ? [{ name: Name, isHere: api.where.startsWith('unix:'), labels: Labels }]
      : [],
  );
}

async function make(
  world: World,
  api: DockerApi,
  { fleet, fleetId, deployment, replica }: MarkedPlace,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const of = `${fleet}-${fleetId}`;
  const inside = `${deployment}-${replica}`;
  const Name = `berth-ran-${of}-${inside}-${digestOf(JSON.stringify(more)).slice(0, 12)}`;
  const body = { Name, Labels: { [fleetOf]: of, [placeOf]: inside, ...more } };
  await must(world, api, { method: 'POST', path: '/volumes/create', body, fine: [200, 201] });
  return Name;
}

async function remove(world: World, api: DockerApi, name: string): Promise<void> {
  const path = `/volumes/${encodeURIComponent(name)}`;
  await must(world, api, { method: 'DELETE', path, fine: [204, 200, 404] });
}
