import type { Naming } from '../../domain/applied-secrets.ts';
import { believedSecret, isOwnGround, keyName, unbelievedSecrets } from '../../domain/believed-secrets.ts';
import type { NamedSecrets } from '../../domain/believed-secrets.ts';
import { secretsOf } from '../../domain/engine-env.ts';
import type { EngineEnv } from '../../domain/engine-env.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import { isOfHere, secretTitle } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import { readAppliedSecrets } from './applied-secrets.ts';
import type { ByName } from './applied-secrets.ts';
import type { Hosts } from './hosts.ts';
import { fleetPaths, isEngineKey } from './paths.ts';
import type { FleetIdentity } from './paths.ts';
import type { Deployment } from './resolve.ts';

/** What deployments of a fleet have their secrets and engines believed by. */
interface Known {
  /** As its file says, or the plan that is carried out without it. */
  readonly named: ReadonlyMap<string, readonly Naming[]>;
  /** What a plan leaves as it runs, of which it does not tell secrets; without a plan none. */
  readonly stays: ReadonlyMap<string, readonly Naming[]>;
  /** As it was applied before. */
  readonly applied: ByName;
}

/** Of a world, by the state folder of a fleet, as its file was last read. What no file was read of has nothing. */
const known = new WeakMap<World['exec'], Map<string, Known>>();

type Stated = Pick<Deployment, 'name' | 'engine' | 'model' | 'host' | 'target'>;

/**
 * Of a file that was read: from now on these secrets are read for its deployments where it wants them, and those that they were applied
 * with before where they were then, and no others.
 */
export async function nameSecrets(
  world: World,
  loaded: FleetIdentity & { readonly hosts: Hosts; readonly deployments: readonly Stated[] },
): Promise<void> {
  const named = loaded.deployments.map((one): [string, Naming[]] => [one.name, [namingOf(one, loaded)]]);
  await know(world, loaded, { named: new Map(named), stays: new Map() });
}

/** A kept plan is carried out without its file: what it says that is to run is the user's own word. */
export async function namePlanned(world: World, plan: Plan): Promise<void> {
  if (!knownIn(world).has(stateOf(world, plan)))
    await know(world, plan, { named: startedBy(plan), stays: keptBy(plan) });
}

async function know(world: World, fleet: FleetIdentity, said: Omit<Known, 'applied'>): Promise<void> {
  const applied = await readAppliedSecrets(world.home ?? world, fleet);
  knownIn(world).set(stateOf(world, fleet), { ...said, applied });
}

/** What its file names now. */
export function namedNow(world: World, fleet: FleetIdentity): Known['named'] {
  return knownIn(world).get(stateOf(world, fleet))?.named ?? new Map<string, Naming[]>();
}

/** What is kept has changed since the file was read. */
export function nameApplied(world: World, fleet: FleetIdentity, applied: ByName): void {
  const said = knownIn(world).get(stateOf(world, fleet)) ?? { named: new Map(), stays: new Map() };
  knownIn(world).set(stateOf(world, fleet), { ...said, applied });
}

/** Of the machine that berth runs on, whose files name them. */
function knownIn({ home, exec }: World): Map<string, Known> {
  const key = home?.exec ?? exec;
  const fleets = known.get(key) ?? new Map<string, Known>();
  known.set(key, fleets);
  return fleets;
}

/** What a plan is to start, by its deployments. Pure. */
export function startedBy({ actions, hosts }: Plan): Map<string, Naming[]> {
  const all = new Map<string, Naming[]>();
  for (const action of actions) {
    if (action.do !== 'start' && action.do !== 'replace') continue;
    const { spec, target } = action.wanted;
    const { [keyName]: _own, ...rest } = spec.secrets;
    const secrets = [...Object.values(rest), spec.modelSecret ?? []].flat().filter(isOfHere);
    const naming = { machine: machineOf(hosts[action.host]), target: target.kind, secrets };
    all.set(action.deployment, [...(all.get(action.deployment) ?? []), naming]);
  }
  return all;
}

function keptBy({ actions, hosts }: Plan): Map<string, Naming[]> {
  const all = new Map<string, Naming[]>();
  for (const action of actions) {
    if (action.do !== 'keep') continue;
    const { deployment, host, running } = action;
    const naming = { machine: machineOf(hosts[host]), target: running.target.kind, secrets: [] };
    all.set(deployment, [...(all.get(deployment) ?? []), naming]);
  }
  return all;
}

function namingOf({ engine, model, host, target }: Stated, { hosts }: { readonly hosts: Hosts }): Naming {
  // A kind of engine without variables has none of them.
  const { env } = engine as { env?: EngineEnv };
  const secrets = [...Object.values(secretsOf(env ?? {}).secrets), model?.secret ?? []].flat();
  return { machine: machineOf(hosts[host]), target: target.kind, secrets: secrets.filter(isOfHere) };
}

function stateOf(world: World, fleet: FleetIdentity): string {
  return fleetPaths(world.home ?? world, fleet).state;
}

/** Where an engine is, or is to be. */
interface Place {
  readonly deployment: string;
  readonly machine: string;
  readonly target: string;
}

/** `back`: also by what it may go back to, of which nothing runs. */
function namingsAt(
  world: World,
  fleet: FleetIdentity,
  { deployment, machine, target, back }: Place & { readonly back: boolean },
): readonly Naming[] {
  const of = knownIn(world).get(stateOf(world, fleet));
  const { runs = [], before = [] } = of?.applied[deployment] ?? {};
  const said = [...(of?.named.get(deployment) ?? []), ...(of?.stays.get(deployment) ?? [])];
  const all = [...said, ...runs, ...(back ? before : [])];
  return all.filter((one) => one.machine === machine && one.target === target);
}

function allowedAt(world: World, { fleet, fleetId }: FleetIdentity, place: Place): NamedSecrets {
  const { deployment } = place;
  const there = namingsAt(world, { fleet, fleetId }, { ...place, back: true });
  return {
    isOwnKey: (file) => there.length > 0 && isEngineKey(file, { fleet, fleetId, deployment }),
    named: there.flatMap(({ secrets }) => secrets),
  };
}

function allowedFor(world: World, mark: FleetIdentity & Pick<Mark, 'deployment' | 'target'>): NamedSecrets {
  const { deployment, target } = mark;
  return allowedAt(world, mark, { deployment, machine: world.machine, target: target.kind });
}

type Placed = FleetIdentity & Pick<Mark, 'deployment' | 'target'>;

/**
 * Whether an engine with this mark, on the host of this world, is where its deployment is to run, or may run as it was applied. Elsewhere,
 * also where it ran before, it is not asked with its key and gets none of its requests: whoever may write marks on one host would have
 * what is of another.
 */
export function isInPlace(world: World, { fleet, fleetId, deployment, target }: Placed): boolean {
  const place = { deployment, machine: world.machine, target: target.kind, back: false };
  return isOwnGround(world.machine, target) || namingsAt(world, { fleet, fleetId }, place).length > 0;
}

/** The same of what was seen on any host. */
export function isSeenInPlace(world: World, { mark, host }: Pick<Instance, 'mark' | 'host'>): boolean {
  return mark !== null && isInPlace({ ...world, home: world.home ?? world, machine: host }, mark);
}

/** What says so of itself and is not comes last. */
export function inPlaceFirst(world: World, all: readonly Instance[]): Instance[] {
  return all.toSorted((a, b) => Number(isSeenInPlace(world, b)) - Number(isSeenInPlace(world, a)));
}

/**
 * As a plan wants it, with nothing that is not believed there already; none of a place that is not. So what is kept of it makes nothing
 * believed: what ran before is wanted by the word of who may write that.
 */
export function asBelieved(
  world: World,
  fleet: FleetIdentity,
  { deployment, wanted }: { deployment: string; wanted: Naming },
): Naming[] {
  const place = { ...wanted, deployment, back: true };
  if (namingsAt(world, fleet, place).length === 0) return [];
  const allowed = allowedAt(world, fleet, place);
  const secrets = wanted.secrets.flatMap((ref) => believedSecret({ name: '', ref }, allowed) ?? []);
  return [{ ...wanted, secrets }];
}

type Named = FleetIdentity & Pick<Mark, 'deployment' | 'spec' | 'target'>;

/** A mark with none of its secrets that is not to be read. `world`: of the host that it was seen on. */
export function withReadable<Some extends Named>(world: World, mark: Some): Some {
  if (isOwnGround(world.machine, mark.target)) return mark;
  const allowed = allowedFor(world, mark);
  const secrets = Object.entries(mark.spec.secrets).filter(
    ([name, ref]) => !isOfHere(ref) || believedSecret({ name, ref }, allowed) !== null,
  );
  return { ...mark, spec: { ...mark.spec, secrets: Object.fromEntries(secrets) } };
}

/** Throws SECRET_NOT_NAMED before anything of a mark is given to an engine that is not to be read. */
export function expectNamedSecrets(world: World, mark: Named, object: string = mark.deployment): void {
  if (isOwnGround(world.machine, mark.target)) return;
  const [ref] = unbelievedSecrets(mark.spec, allowedFor(world, mark));
  if (ref === undefined) return;
  throw new BerthError('SECRET_NOT_NAMED', { deployment: mark.deployment, object, secret: secretTitle(ref) });
}
