import { withBegun, withDone } from '../../domain/applied-secrets.ts';
import type { Naming } from '../../domain/applied-secrets.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { changeAppliedSecrets, without } from '../file/applied-secrets.ts';
import type { ByName } from '../file/applied-secrets.ts';
import { asBelieved, nameApplied, namedNow, startedBy } from '../file/named-secrets.ts';
import type { FleetIdentity } from '../file/paths.ts';

type Wanted = ReadonlyMap<string, readonly Naming[]>;

/**
 * Keeps where a plan has its deployments run and which secrets they have there, before anything is touched: whatever ends the change, what
 * ran before it and what it has brought are both known. Of deployments that it does not concern nothing is lost. Give what comes
 * back the actions that were not done, once the change has ended: of those that were made whole, what ran before the one that they took the
 * place of is let go.
 */
export async function noteApplying(
  world: World,
  plan: Plan,
): Promise<(notDone: readonly Action[]) => Promise<void>> {
  const wanted = wantedBy(world, plan);
  const runs = runningIn(world, plan);
  const began = await change(world, plan, (before) => begun(before, { wanted, runs }));
  return async (notDone) => {
    const left = new Set(notDone.map(({ deployment }) => deployment));
    const { whole, gone } = endedIn(plan, { wanted, runs, named: namedNow(world, plan) });
    await change(world, plan, (now) => {
      const done = [...whole].flatMap(([name, namings]) => {
        const known = now[name];
        if (!known || left.has(name)) return [];
        return [[name, withDone(known, namings, began?.[name])] as const];
      });
      const kept = without(
        now,
        gone.filter((name) => !left.has(name)),
      );
      return { ...kept, ...Object.fromEntries(done) };
    });
  };
}

/** What runs already was taken in by these deployments of the file. */
export async function noteAdopted(
  world: World,
  fleet: FleetIdentity,
  names: readonly string[],
): Promise<void> {
  const wanted = new Map([...namedNow(world, fleet)].filter(([name]) => names.includes(name)));
  await change(world, fleet, (before) => begun(before, { wanted, runs: new Map() }));
}

/** Gives it as it was before; null where that is not known. */
async function change(
  world: World,
  fleet: FleetIdentity,
  how: (before: ByName) => ByName,
): Promise<ByName | null> {
  const both = await changeAppliedSecrets(world.home ?? world, fleet, how);
  if (both) nameApplied(world, fleet, both.now);
  return both?.before ?? null;
}

/** One on demand is started by its next request, as the file says. */
function wantedBy(world: World, plan: Plan): Wanted {
  const named = namedNow(world, plan);
  const later = (plan.onDemand ?? []).flatMap((name): [string, readonly Naming[]][] => {
    const of = named.get(name);
    return of && (plan.only?.includes(name) ?? true) ? [[name, of]] : [];
  });
  const started = [...startedBy(plan)].flatMap(([deployment, all]): [string, Naming[]][] => {
    const believed = all.flatMap((wanted) => asBelieved(world, plan, { deployment, wanted }));
    return believed.length === 0 ? [] : [[deployment, believed]];
  });
  return new Map([...later, ...started]);
}

/** What runs as the file says, and stays. One that is protected from its changes does not. */
function runningIn(world: World, { fleet, fleetId, actions, held = [] }: Plan): Wanted {
  const names = new Set(actions.flatMap((one) => (one.do === 'keep' ? [one.deployment] : [])));
  for (const { deployment } of held) names.delete(deployment);
  return new Map([...namedNow(world, { fleet, fleetId })].filter(([name]) => names.has(name)));
}

/** Of what runs it may not be known yet: nobody has kept it before, or its machine had another address in the file. Pure. */
function begun(before: ByName, { wanted, runs }: { wanted: Wanted; runs: Wanted }): ByName {
  const all = [...new Map([...runs, ...wanted])];
  return {
    ...before,
    ...Object.fromEntries(all.map(([name, namings]) => [name, withBegun(before[name], namings)])),
  };
}

/** Deployments that run as this plan has them once all of it is done, and the names of those of which nothing is left. Pure. */
function endedIn(
  { actions }: Plan,
  { wanted, runs, named }: { wanted: Wanted; runs: Wanted; named: Wanted },
): { whole: Wanted; gone: string[] } {
  const byName = Map.groupBy(actions, ({ deployment }) => deployment);
  function all(name: string, is: (action: Action) => boolean): boolean {
    return (byName.get(name) ?? []).every(is);
  }
  return {
    whole: new Map([
      ...[...runs].filter(([name]) => all(name, (action) => action.do === 'keep')),
      // Of one that is changed in part, the rest runs as it was, which the file may not name.
      ...[...wanted].filter(([name]) => all(name, (action) => action.do !== 'keep')),
    ]),
    gone: [...byName.keys()].filter(
      (name) => !named.has(name) && all(name, (one) => one.do === 'stop' && !one.returns && !one.parks),
    ),
  };
}
