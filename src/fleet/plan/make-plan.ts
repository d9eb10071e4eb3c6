import type { BegunEnd } from '../../domain/begun-ends.ts';
import { withoutPlaces } from '../../domain/given-files.ts';
import type { Finding } from '../../domain/finding.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { machineOf } from '../../domain/host-access.ts';
import type { HostAccess } from '../../domain/host-access.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Action, Plan, Reason, Running, Wanted } from '../../domain/plan.ts';
import type { DesiredReplica } from './desired.ts';
import { declaredDifferences, sameSpec, sameValue } from './differences.ts';
import { accessOf, hostNameOf } from '../file/hosts.ts';
import { gpusHeld, isInTheWay } from './order.ts';
import { comesAgain, mayStandStill, parkedFindings } from './parked.ts';
import { holdBack } from './protect.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { changedFiles } from './given-spec.ts';
import { changedSecrets } from './secret-hashes.ts';
import { TakenPorts } from './taken-ports.ts';

/** An instance of this fleet: marked. */
type Own = Instance & { readonly mark: Mark };

/** What a plan must know of a target to choose a way: whether two objects of a replica can be there at once, and who restarts. */
export interface TargetTraits {
  readonly supervises: boolean;
  readonly beside: boolean;
  /** What is stopped by hand may stand still as the object that it is. */
  readonly parks: boolean;
}

export interface PlanInput {
  readonly loaded: LoadedFleet;
  readonly desired: readonly DesiredReplica[];
  /** Instances of this fleet alone. */
  readonly instances: readonly Instance[];
  /** Deployments of which it is not known what runs where they are to be: nothing of them is planned. */
  readonly unseen: ReadonlySet<string>;
  /** Ports of a host that something listens on or is about to, whoever it is. */
  readonly usedPorts: (host: string) => ReadonlySet<number>;
  /** Also bring in what only berth itself renders otherwise by now. */
  readonly refresh: boolean;
  /** Deployments that are to be restarted whatever they are like. */
  readonly restart: readonly string[];
  /** Deployments that the user has named: protection does not hold for them. */
  readonly named: readonly string[];
  /** Memory of a host that a second engine may take while the first still runs, in bytes; null: unknown. */
  readonly freeBytes: (host: string) => number | null;
  readonly traits: (target: Mark['target']) => TargetTraits;
  /** What of an object (`objectKey`) the target would write otherwise by now, from the same mark. */
  readonly renderedOtherwise: ReadonlyMap<string, readonly string[]>;
  /** Secrets of objects (`objectKey`) that others have applied, which the cluster has otherwise than they are here. */
  readonly otherSecrets?: ReadonlyMap<string, readonly Reason[]>;
  /** Ends of objects (`objectKey`) that have begun and that nobody has finished: what was cut off may go any moment. */
  readonly beingEnded?: ReadonlyMap<string, Pick<BegunEnd, 'at' | 'cutOff'>>;
  /** Size of a model file on a host; 0 where it is not known. */
  readonly modelBytes: (host: string, path: string) => number;
}

/** Compares what the file wants with what runs. Pure: the same input gives the same plan. */
export function makePlan(input: PlanInput): Plan {
  const own = input.instances.filter((one): one is Own => one.mark !== null);
  const findings: Finding[] = [];
  const taken = new TakenPorts(input.loaded, input.usedPorts);
  const kept = new Set<Own>();
  const actions = input.desired.flatMap((wanted): Action[] => {
    const there = own
      .filter((one) => isFor(input, one, wanted) && !kept.has(one))
      .toSorted((a, b) => Number(isAsStated(b, wanted)) - Number(isAsStated(a, wanted)));
    // What does not run any longer is made anew under the same name.
    const running = there.find((one) => one.alive);
    const fallen = running ? undefined : there[0];
    for (const one of [running, fallen]) if (one) kept.add(one);
    if (fallen?.parked && !input.named.includes(wanted.deployment.name)) {
      findings.push(...parkedFindings(input.loaded, [fallen]));
      return [];
    }
    if (wanted.deployment.onDemand)
      return running ? onlyStop(compare(input, wanted, running, { findings, taken })) : [];
    return [
      running ? compare(input, wanted, running, { findings, taken }) : startAction(wanted, { taken, fallen }),
    ];
  });
  const onDemand = input.loaded.deployments.filter((one) => one.onDemand).map((one) => one.name);
  const stops = own
    .filter(
      (one) => !kept.has(one) && mayEnd(input, one) && !(one.parked && mayStandStill(input.loaded, one)),
    )
    .map((one) => stopAction(input, one));
  const { actions: allowed, held } = holdBack([...stops, ...actions], input);
  const all = allowed.map((action) => withoutRoom(allowed, action));
  if (all.some((action) => startsUnwatched(input, action))) findings.push(unsupervised);
  return {
    version: 1,
    fleet: input.loaded.fleet,
    fleetId: input.loaded.fleetId,
    basis: {
      files: [...input.loaded.files],
      objects: own.filter((one) => !onDemand.includes(one.mark.deployment)).map((one) => one.object),
    },
    hosts: hostsOf(
      input.loaded,
      all,
      own.filter((one) => one.parked),
    ),
    actions: all,
    ...(held.length > 0 ? { held } : {}),
    ...(onDemand.length > 0 ? { onDemand } : {}),
    withheld: [...input.loaded.withheld],
    findings,
  };
}

/** One that another waits for ends first, whatever room there is beside it. */
function withoutRoom(all: readonly Action[], action: Action): Action {
  if (action.do !== 'replace' || !action.beside || !isInTheWay(all, action)) return action;
  return { ...action, beside: false };
}

/** What stands still has no action, and whoever applies the plan looks at it again all the same. */
function hostsOf(
  loaded: LoadedFleet,
  actions: readonly Action[],
  parked: readonly Own[],
): Record<string, HostAccess> {
  const where = parked.map((one) => hostNameOf(loaded.hosts, one));
  const names = new Set([...actions.map((action) => action.host), ...where]);
  return Object.fromEntries([...names].map((name) => [name, accessOf(loaded.hosts[name])]));
}

function startsUnwatched({ traits }: PlanInput, action: Action): boolean {
  return (action.do === 'start' || action.do === 'replace') && !traits(action.wanted.target).supervises;
}

/** One on demand comes and goes by itself: it is never started here, and ends only when it is not as the file says. */
function onlyStop(action: Action): Action[] {
  if (action.do !== 'replace') return [];
  const { wanted: _wanted, beside: _beside, ...rest } = action;
  const later = { field: null, text: 'its next request starts it as the file says' };
  return [{ ...rest, do: 'stop', reasons: [...action.reasons, later], returns: true }];
}

/** Of the same place on the same machine: what moves to another one ends here and starts there. */
function isFor({ loaded }: PlanInput, { mark, host }: Own, { deployment, replica }: DesiredReplica): boolean {
  return (
    mark.deployment === deployment.name &&
    mark.replica === replica &&
    host === machineOf(loaded.hosts[deployment.host])
  );
}

/** Of two that are there, as where a change was broken off, this one need not be changed. */
function isAsStated({ alive, mark }: Own, { deployment, spec }: DesiredReplica): boolean {
  return (
    alive &&
    mark.target.kind === deployment.target.kind &&
    (deployment.port === null || deployment.port === mark.port) &&
    (sameSpec(mark.spec, spec) || declaredDifferences(mark.declared, deployment.declared).length === 0)
  );
}

function placeOf(wanted: DesiredReplica): { deployment: string; replica: number; host: string } {
  return { deployment: wanted.deployment.name, replica: wanted.replica, host: wanted.deployment.host };
}

function wantedOf(wanted: DesiredReplica, port: number): Wanted {
  return {
    target: { ...wanted.deployment.target },
    address: '127.0.0.1',
    port,
    ...(wanted.deployment.port === port ? { pinned: true } : {}),
    spec: wanted.spec,
    declared: { ...wanted.deployment.declared },
  };
}

function runningOf(instance: Own): Running {
  const { mark } = instance;
  const gpus = gpusHeld(mark.spec);
  return {
    target: mark.target,
    object: instance.object,
    address: mark.address,
    port: mark.port,
    ...(mark.reached ? { reached: mark.reached } : {}),
    stop: mark.spec.stop,
    ...(gpus === 0 ? {} : { gpus }),
  };
}

function startAction(
  wanted: DesiredReplica,
  { taken, fallen }: { taken: TakenPorts; fallen: Own | undefined },
): Action {
  const { port, host } = wanted.deployment;
  const chosen = port ?? fallen?.mark.port ?? taken.take(host);
  taken.of(host).add(chosen);
  const why = fallen ? `${fallen.object.name} ${fallen.trouble ?? 'does not run'}` : 'it does not run';
  const reasons = [{ field: null, text: why }];
  return { do: 'start', ...placeOf(wanted), reasons, wanted: wantedOf(wanted, chosen) };
}

function compare(
  input: PlanInput,
  wanted: DesiredReplica,
  instance: Own,
  { findings, taken }: { findings: Finding[]; taken: TakenPorts },
): Action {
  const { mark } = instance;
  const spec = withGpusOf(mark.spec, wanted.spec);
  const specChanged = !sameSpec(mark.spec, spec);
  // To write down what was the default anyway changes nothing that runs.
  const moved = !sameValue(mark.target, wanted.deployment.target);
  const reasons: Reason[] =
    specChanged || moved ? declaredDifferences(mark.declared, wanted.deployment.declared) : [];
  const port = wanted.deployment.port ?? mark.port;
  if (port !== mark.port) reasons.push({ field: 'port', text: `port: ${mark.port} → ${port}` });
  reasons.push(...changedSecrets(mark, wanted.spec, wanted.secrets ?? null));
  reasons.push(...changedFiles(mark.spec, spec));
  reasons.push(...(input.otherSecrets?.get(objectKey(instance.object)) ?? []));
  const rendered = input.renderedOtherwise.get(objectKey(instance.object)) ?? [];
  if (reasons.length === 0 && (specChanged || moved || rendered.length > 0)) {
    if (input.refresh)
      reasons.push({ field: null, text: 'berth starts it otherwise by now, and --refresh was given' });
    else findings.push(renderedOtherwise(wanted, mark, rendered));
  }
  const end = input.beingEnded?.get(objectKey(instance.object));
  if (end?.cutOff)
    reasons.push({ field: null, text: `a command that was killed had begun to end it at ${end.at}` });
  if (input.restart.includes(wanted.deployment.name))
    reasons.push({ field: null, text: 'a restart was asked for' });
  const running = runningOf(instance);
  if (reasons.length === 0)
    return {
      do: 'keep',
      ...placeOf(wanted),
      reasons: [{ field: null, text: 'it runs as the file says' }],
      running,
    };
  const beside = input.traits(wanted.deployment.target).beside && bothFit(input, wanted, instance);
  const place = beside && wanted.deployment.port === null ? (otherPort(wanted, taken) ?? port) : port;
  return {
    do: 'replace',
    ...placeOf(wanted),
    reasons,
    wanted: wantedOf(wanted, place),
    running,
    beside: beside && place !== mark.port,
  };
}

/** GPUs that were chosen once are no difference where none are chosen now. */
function withGpusOf({ devices: { chosen } }: LaunchSpec, wanted: LaunchSpec): LaunchSpec {
  if (!chosen || wanted.devices.chosen) return wanted;
  return { ...wanted, devices: { ...wanted.devices, chosen } };
}

/** Engines that hold GPUs have filled them; of the others the new one will need about what the old one holds. */
function bothFit(input: PlanInput, wanted: DesiredReplica, { rssBytes, mark }: Own): boolean {
  const { host } = wanted.deployment;
  const free = input.freeBytes(host);
  if (wanted.deployment.gpus > 0 || mark.spec.devices.count > 0) return false;
  if (free === null || rssBytes === null) return false;
  const model = input.modelBytes(host, wanted.spec.model ?? '');
  return Math.max(rssBytes, model) * reserve < free;
}

const reserve = 1.25;

/** Another port of the pool, since the old engine still has its own; null when the pool is used up. */
function otherPort({ deployment }: DesiredReplica, taken: TakenPorts): number | null {
  try {
    return taken.take(deployment.host);
  } catch {
    return null;
  }
}

const unsupervised: Finding = {
  rule: 'plain-processes',
  severity: 'info',
  object: 'fleet',
  message:
    'Engines run as plain processes: they are not there after a reboot, and nobody restarts one that crashes.',
  evidence: ['target process'],
  cure: 'Keep "berth up" running, and have it started at boot: it brings them up and restarts what crashes.',
};

function renderedOtherwise(wanted: DesiredReplica, mark: Mark, rendered: readonly string[]): Finding {
  const changed = [
    ...declaredDifferences({ ...withoutPlaces(mark.spec) }, { ...withoutPlaces(wanted.spec) }),
    ...declaredDifferences(mark.target, wanted.deployment.target),
  ];
  return {
    rule: 'rendered-otherwise',
    severity: 'info',
    object: `${wanted.deployment.name}-${wanted.replica}`,
    message: 'The file asks for nothing new, but berth would start this engine otherwise by now.',
    evidence: [...changed.map((reason) => reason.text), ...rendered],
    cure: 'Nothing has to be done; "berth apply --refresh" restarts it the new way.',
  };
}

/** One that moves to a place that does not answer goes on where it is. */
function mayEnd({ unseen }: PlanInput, { mark }: Own): boolean {
  return !unseen.has(mark.deployment);
}

function stopAction(input: PlanInput, instance: Own): Action {
  const { deployment, replica } = instance.mark;
  const stated = input.loaded.deployments.find((one) => one.name === deployment);
  const wanted = input.desired.filter((one) => one.deployment.name === deployment).length;
  const text = !stated
    ? 'the file no longer names this deployment'
    : stated.atRest !== undefined
      ? `it was stopped by hand at ${stated.atRest}`
      : replica >= wanted
        ? `the file wants ${wanted} of it`
        : instance.host === machineOf(input.loaded.hosts[stated.host])
          ? 'it runs twice'
          : `the file wants it on host ${stated.host}`;
  return {
    do: 'stop',
    deployment,
    replica,
    host: hostOfStop(input.loaded, instance, stated?.host),
    reasons: [{ field: stated && stated.atRest === undefined ? 'replicas' : null, text }],
    running: runningOf(instance),
    ...(comesAgain(input.loaded, instance) ? { returns: true as const } : {}),
    ...(input.traits(instance.mark.target).parks && mayStandStill(input.loaded, instance)
      ? { parks: true as const }
      : {}),
  };
}

function hostOfStop({ hosts }: LoadedFleet, instance: Own, stated: string | undefined): string {
  const same = stated !== undefined && machineOf(hosts[stated]) === instance.host;
  return same ? stated : hostNameOf(hosts, instance);
}
