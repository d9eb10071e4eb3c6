import type { DeploymentStatus, ReplicaStatus } from '../../domain/fleet-status.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Check } from '../../domain/verification.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { replicaName } from '../plan/desired.ts';
import { engineHeaders } from '../apply/engine-key.ts';
import { worldOfInstance } from '../file/hosts.ts';
import { probe, urlOf } from '../apply/ready.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { check } from './check.ts';
import type { Found } from './check.ts';
import type { VerifyOptions } from './options.ts';
import { modelCheck } from './model.ts';
import { tokenAnswer } from './token-answer.ts';

export interface EngineContext {
  readonly loaded: LoadedFleet;
  readonly deployment: Deployment;
  readonly status: DeploymentStatus;
  readonly instances: readonly Instance[];
  readonly options: VerifyOptions;
}

/** All replicas of a deployment that berth starts, one after the other. */
export async function engineChecks(world: World, context: EngineContext): Promise<Check[]> {
  const checks: Check[] = [];
  for (const replica of context.status.replicas)
    checks.push(...(await replicaChecks(world, context, replica)));
  return checks;
}

async function replicaChecks(
  home: World,
  { loaded, deployment, instances, options }: EngineContext,
  status: ReplicaStatus,
): Promise<Check[]> {
  const { replica } = status;
  const { name } = deployment;
  const told = check({ deployment: name, replica });
  const there = instances.filter(({ mark }) => mark?.deployment === name && mark.replica === replica);
  const alive = there.filter((one) => one.alive);
  const [instance] = alive;
  const mark = instance?.mark;
  const at =
    there.map((one) => one.object.name).join(', ') || replicaName(name, replica, deployment.replicas);
  if (!instance || !mark) return [told('object', absent(status, there, { at, deployment }))];
  const since = `runs since ${instance.startedAt ?? 'an unknown time'}`;
  const twice = alive.length > 1 ? `runs ${alive.length} times` : null;
  const ending = status.state === 'ending' ? 'is being ended, or a command that ended it was killed' : null;
  const world = await worldOfInstance(home, loaded.hosts, instance);
  const wrong = await probe(world, mark);
  const url = urlOf(mark);
  const checks = [
    told('object', {
      at,
      fault: twice ?? ending,
      seen: since,
      cure:
        twice === null ? '"berth apply" starts what the file wants.' : '"berth apply" stops what runs twice.',
    }),
    told('current', {
      at,
      fault: status.outdated ? 'was started otherwise than the file says by now' : null,
      seen: 'runs as the file says',
      cure: '"berth plan" shows what differs, "berth apply" changes it.',
    }),
    told('ready', {
      at: url + mark.spec.readiness.path,
      fault: wrong === '' ? null : wrong,
      seen: 'answers',
      cure: `See "berth logs ${name}"; "berth apply --restart ${name}" starts it anew.`,
    }),
  ];
  if (wrong !== '') return checks;
  return [
    ...checks,
    told('answers', await answer(world, { deployment, mark, options })),
    told('model', await modelCheck(world, { deployment, mark, instance })),
  ];
}

function absent(
  status: ReplicaStatus,
  there: readonly Instance[],
  { at, deployment }: { at: string; deployment: Deployment },
): Found {
  const byHand = deployment.atRest !== undefined || there.some((one) => one.parked);
  const cure = byHand
    ? `It was stopped by hand: "berth start ${deployment.name}" starts it.`
    : '"berth apply" starts it.';
  if (status.state === 'unloaded') return { at, skipped: 'is started by its next request' };
  if (status.state === 'fetching') return { at, skipped: 'is being fetched for its first request' };
  if (status.state === 'unreachable')
    return { at, fault: 'its host could not be looked at', seen: '', cure: 'See "berth status".' };
  const trouble = there[0]?.trouble;
  return { at, fault: there.length > 0 ? (trouble ?? 'does not run') : 'is not there', seen: '', cure };
}

/** One token from the engine itself, past the gateway. */
async function answer(
  world: World,
  { deployment, mark, options }: { deployment: Deployment; mark: Mark; options: VerifyOptions },
): Promise<Found> {
  const url = urlOf(mark);
  if (engineOf(mark.spec.engine).modelsPath !== undefined)
    return { at: url, skipped: 'serves several models, and would load one to answer' };
  const headers = await engineHeaders(world, mark);
  const { at, fault, ms } = await tokenAnswer(world, {
    deployment,
    options,
    url,
    headers,
    servedModel: mark.spec.servedModel,
    ca: null,
  });
  return {
    at,
    fault,
    seen: `answered in ${ms} ms`,
    cure: `See "berth logs ${deployment.name}"; "berth apply --restart ${deployment.name}" starts it anew.`,
  };
}
