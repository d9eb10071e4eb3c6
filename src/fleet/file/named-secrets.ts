import { believedSecret, isOwnGround, unbelievedSecrets } from '../../domain/believed-secrets.ts';
import type { NamedSecrets } from '../../domain/believed-secrets.ts';
import { secretsOf } from '../../domain/engine-env.ts';
import type { EngineEnv } from '../../domain/engine-env.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import { isGiven, isOfHere, secretTitle } from '../../domain/secret.ts';
import type { AnySecret } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths, isEngineKey } from './paths.ts';
import type { FleetIdentity } from './paths.ts';
import type { Deployment, LoadedFleet } from './resolve.ts';

/** Of a world, by the state folder of a fleet: what its file names, as it was last read. What no file was read of names nothing. */
const named = new WeakMap<World['exec'], Map<string, ByDeployment>>();

type ByDeployment = ReadonlyMap<string, readonly AnySecret[]>;

/** Of a file that was read: from now on these secrets are read for its deployments, and no others. */
export function nameSecrets(
  world: World,
  loaded: Pick<LoadedFleet, 'fleet' | 'fleetId' | 'deployments'>,
): void {
  const all = loaded.deployments.map((one) => [one.name, namedBy(one)] as const);
  namedIn(world).set(stateOf(world, loaded), new Map(all));
}

/** Of the machine that berth runs on, whose files name them. */
function namedIn({ home, exec }: World): Map<string, ByDeployment> {
  const key = home?.exec ?? exec;
  const known = named.get(key) ?? new Map<string, ByDeployment>();
  named.set(key, known);
  return known;
}

/** A kept plan is carried out without its file: what it says that is to run is the user's own word. */
export function namePlanned(world: World, plan: Plan): void {
  const state = stateOf(world, plan);
  if (namedIn(world).has(state)) return;
  const all = new Map<string, AnySecret[]>();
  for (const action of plan.actions) {
    const spec = action.do === 'start' || action.do === 'replace' ? action.wanted.spec : null;
    const refs = spec ? [...Object.values(spec.secrets), spec.modelSecret ?? []].flat() : [];
    const own = refs.filter((ref): ref is AnySecret => !isGiven(ref));
    all.set(action.deployment, [...(all.get(action.deployment) ?? []), ...own]);
  }
  namedIn(world).set(state, all);
}

function namedBy({ engine, model }: Deployment): AnySecret[] {
  // A kind of engine without variables has none of them.
  const { env } = engine as { env?: EngineEnv };
  return [...Object.values(secretsOf(env ?? {}).secrets), model?.secret ?? []].flat();
}

function stateOf(world: World, fleet: FleetIdentity): string {
  return fleetPaths(world.home ?? world, fleet).state;
}

function allowedFor(world: World, mark: FleetIdentity & Pick<Mark, 'deployment'>): NamedSecrets {
  const { fleet, fleetId, deployment } = mark;
  return {
    isOwnKey: (file) => isEngineKey(file, { fleet, fleetId, deployment }),
    named: namedIn(world).get(stateOf(world, mark))?.get(deployment) ?? [],
  };
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

/** Engines whose mark has a key that is not read, so that they are asked without one. */
export function unnamedKeys(world: World, fleet: FleetIdentity, instances: readonly Instance[]): Finding[] {
  return instances.flatMap(({ mark, object, host }): Finding[] => {
    const ref = mark?.spec.secrets['key'];
    if (!mark || !ref || !isOfHere(ref)) return [];
    const { deployment } = mark;
    if (believedSecret({ name: 'key', ref }, allowedFor(world, { ...fleet, deployment })) !== null) return [];
    const at = host === 'local' ? object.name : `${object.name} on ${host}`;
    return [
      {
        rule: 'secret-not-named',
        severity: 'warning',
        object: deployment,
        message: `The mark on ${at} has the engine's key in ${secretTitle(ref)}, where berth keeps none for ${deployment}: it is not read, and the engine is asked without a key.`,
        evidence: [at, secretTitle(ref)],
        cure: `Somebody who may change that object has written it; "berth apply --restart ${deployment}" makes it as the file says.`,
      },
    ];
  });
}
