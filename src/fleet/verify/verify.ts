import { eachOf } from '../../domain/each-of.ts';
import type { FleetStatus } from '../../domain/fleet-status.ts';
import type { Check, Verification } from '../../domain/verification.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { expectNamed } from '../apply/expect-named.ts';
import { fleetInstances } from '../observe/observe.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { fleetStatus } from '../observe/status.ts';
import { engineChecks } from './engine.ts';
import type { VerifyOptions } from './options.ts';
import { externalChecks } from './external.ts';
import { routeChecks } from './routes.ts';

/** Deployments that are asked side by side: each is a request to an engine, and a way to its host. */
const atOnce = 8;

/** Holds what runs against the file, and asks each engine and each route for one token. Changes nothing but what a request changes. */
export async function verifyFleet(
  world: World,
  loaded: LoadedFleet,
  options: VerifyOptions,
): Promise<Verification> {
  const { names, door } = options;
  expectNamed(names, loaded);
  const chosen = loaded.deployments.filter((one) => names.length === 0 || names.includes(one.name));
  const [status, instances] = await Promise.all([fleetStatus(world, loaded), fleetInstances(world, loaded)]);
  const byDeployment = await eachOf(chosen, atOnce, (deployment) => {
    const context = { loaded, deployment, status: statusOf(status, deployment), options };
    return engineOf(deployment.engine.kind).external
      ? externalChecks(world, context)
      : engineChecks(world, { ...context, instances });
  });
  const checks: Check[] = [
    ...byDeployment.flat(),
    ...(door === undefined ? [] : await routeChecks(world, { loaded, chosen, status, door, options })),
  ];
  return {
    version: 1,
    fleet: loaded.fleet,
    at: world.clock.wall().toISOString(),
    passed: checks.every((one) => one.outcome !== 'failed'),
    checks,
  };
}

function statusOf(status: FleetStatus, { name }: Deployment): FleetStatus['deployments'][number] {
  const found = status.deployments.find((one) => one.name === name);
  if (!found) throw new Error(`No status of ${name}`);
  return found;
}
