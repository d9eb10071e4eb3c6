import type { Finding } from '../../domain/finding.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { Action, Plan } from '../../domain/plan.ts';
import type { Files } from '../../io/files.ts';
import { rememberStats } from '../../io/remembered-stats.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { markOf } from '../apply/change-steps.ts';
import { worldOfInstance, worldOn } from '../file/hosts.ts';
import { givenFindings, orFinding } from './given-findings.ts';
import { instancesOf } from './observe.ts';
import type { Observed } from './observe.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { startRequest } from '../apply/start-engine.ts';

/** What the targets themselves foresee of what the plan would make, and of what it would end. Reads only. */
export async function previewFindings(world: World, plan: Plan): Promise<Finding[]> {
  const hostOf = hostsOfNow(world, plan);
  const asked = plan.actions.flatMap((action) => [
    startFindings(hostOf, plan, action),
    endFindings(world, plan, action),
  ]);
  return (await Promise.all(asked)).flat();
}

/** The hosts of a plan; a machine that many replicas are planned for is asked once for a file that they all want. */
function hostsOfNow(world: World, plan: Plan): (name: string) => Promise<World> {
  const files = new Map<string, Files>();
  return async (name) => {
    const host = await worldOn(world, plan.hosts[name]);
    const looked = files.get(host.machine) ?? rememberStats(host.files);
    files.set(host.machine, looked);
    return { ...host, files: looked };
  };
}

async function startFindings(
  hostOf: (name: string) => Promise<World>,
  plan: Plan,
  action: Action,
): Promise<Finding[]> {
  if (action.do !== 'start' && action.do !== 'replace') return [];
  const { target } = action.wanted;
  const host = await hostOf(action.host);
  const request = startRequest(host, markOf(host, plan, action), plan.withheld);
  const { inCluster, preview } = targetOf(target.kind);
  const foreseen = await orFinding(
    action.deployment,
    async () => (await preview?.(host, request, target)) ?? [],
  );
  // A cluster has them itself.
  return inCluster ? foreseen : [...(await givenFindings(host, request)), ...foreseen];
}

async function endFindings(world: World, plan: Plan, action: Action): Promise<Finding[]> {
  // What is changed in its place is asked of what it becomes.
  const ends =
    action.do === 'stop' ||
    (action.do === 'replace' && action.running.target.kind !== action.wanted.target.kind);
  if (!ends) return [];
  const { deployment, replica, host, running } = action;
  const { fleet, fleetId } = plan;
  const { target } = running;
  const there = await worldOn(world, plan.hosts[host]);
  const place = { fleet, fleetId, deployment, replica, target };
  return (await targetOf(target.kind).previewEnd?.(there, place)) ?? [];
}

/** Objects of the fleet that are not as their marks say: somebody else changed them. */
export async function driftFindings(
  world: World,
  loaded: LoadedFleet,
  observed: Pick<Observed, 'instances'>,
): Promise<Finding[]> {
  const own = instancesOf(observed, loaded).map(async (one): Promise<Finding[]> => {
    const readBack = targetOf(one.object.target).readBack;
    const drift = readBack ? await readBack(await worldOfInstance(world, loaded.hosts, one), one) : [];
    if (drift.length === 0) return [];
    const name = one.mark?.deployment ?? one.object.name;
    return [
      {
        rule: 'drift',
        severity: 'warning',
        object: `${name}-${one.mark?.replica ?? 0}`,
        message: `${one.object.name} is not as berth made it: somebody changed ${drift.map(({ field }) => field).join(', ')}.`,
        evidence: drift.map(({ field, marked, live }) => `${field}: ${marked ?? 'none'} → ${live ?? 'none'}`),
        cure: `Nothing is changed back by itself; "berth apply --restart ${name}" makes it as the file says.`,
      },
    ];
  });
  return (await Promise.all(own)).flat();
}

/** What the targets would write otherwise by now of what runs, by `objectKey`: a newer berth, or another host around it. */
export async function renderedOtherwise(
  world: World,
  loaded: LoadedFleet,
  instances: readonly Instance[],
): Promise<Map<string, string[]>> {
  const found = await Promise.all(
    instances.map(async (one) => {
      const asks = targetOf(one.object.target).rendersOtherwise;
      if (!asks || !one.alive) return [];
      const there = await worldOfInstance(world, loaded.hosts, one);
      const lines = await asks(there, one);
      return lines.length === 0 ? [] : [[objectKey(one.object), lines] as const];
    }),
  );
  return new Map(found.flat());
}
