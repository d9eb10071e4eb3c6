import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import { machineOf } from '../../domain/host-access.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import { detectMemory } from '../../hardware/detect.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { beingEnded } from './being-ended.ts';
import { desiredOrFaults, expectFaultless } from './desired.ts';
import type { DeploymentFault, DesiredReplica } from './desired.ts';
import { makePlan } from './make-plan.ts';
import type { PlanInput } from './make-plan.ts';
import { refusedFaults } from './refused.ts';
import { missingFiles, missingOnDemand } from './missing-files.ts';
import { missingPrograms } from './missing-programs.ts';
import { fetchesOf } from '../apply/fetches.ts';
import { restFindings } from './at-rest.ts';
import { withLeft } from './kept-places.ts';
import { confined, leftOutBy, withDeployments } from '../apply/confine.ts';
import { expectNamed } from '../apply/expect-named.ts';
import { asWritten, foreseen } from './foresee.ts';
import { fitOnDemand } from './fit-on-demand.ts';
import { fitFindings } from './fit.ts';
import { withChosenGpus } from './host-gpus.ts';
import { gatewayReload } from './gateway-reload.ts';
import { sightFindings } from '../observe/sight-findings.ts';
import { driftFindings, previewFindings, renderedOtherwise } from '../observe/look-closer.ts';
import { weightBytes } from '../../io/weight-bytes.ts';
import { worldOfHost } from '../file/hosts.ts';
import { holderOf, instancesOf, muteOf, observeFleet, unseenFault } from '../observe/observe.ts';
import type { Observed, Sight } from '../observe/observe.ts';
import { protectedFindings } from './protect.ts';
import { markHashes } from './stale.ts';
import { rateFindings } from './rate-findings.ts';
import type { Measurements } from './rate-findings.ts';
import type { LoadedFleet } from '../file/resolve.ts';

export interface PlanWishes {
  readonly refresh?: boolean;
  readonly restart?: readonly string[];
  /** Deployments that it is confined to; absent: the whole fleet. */
  readonly only?: readonly string[];
  readonly measured?: Measurements;
  /** Hears whom it waits for, where one takes longer than a second. */
  readonly onWait?: (line: string) => void;
  /** What is wanted instead of what the file says; with `only`. */
  readonly instead?: readonly DesiredReplica[];
}

/** Looks at the machine and says what is to be done to have it as the file says. Changes nothing. */
export async function preparePlan(world: World, loaded: LoadedFleet, wishes: PlanWishes = {}): Promise<Plan> {
  expectNamed(restartsOf(loaded, wishes).restart, loaded);
  const seen = { loaded, observed: await observeFleet(world, loaded.hosts) };
  const plan = await planSeen(world, seen, wishes);
  return wishes.only ? plan : withLeft(world, plan, seen);
}

interface Seen {
  readonly loaded: LoadedFleet;
  readonly observed: Sight;
}

async function planSeen(world: World, seen: Seen, wishes: PlanWishes): Promise<Plan> {
  const { loaded, observed } = seen;
  const { only, measured } = wishes;
  const { restart, gateway: restartGateway } = restartsOf(loaded, wishes);
  const own = instancesOf(observed, loaded);
  expectNamed(only ?? [], loaded, own);
  const reached = withoutSilent(loaded, observed);
  const asked = withDeployments(loaded, (name) => only?.includes(name) ?? true);
  const named = withoutSilent(asked, observed);
  const [{ desired: stated, faults }, input] = await Promise.all([
    wishes.instead ? { desired: wishes.instead, faults: [] } : desiredOrFaults(world, named, wishes.onWait),
    planInput(world, { loaded, reached, observed }, { ...wishes, restart }),
  ]);
  const faulty = [...faults, ...refusedFaults(stated, loaded)];
  if (faulty.length > 0) expectFaultless(faulty, await foundBeside(world, seen, { faulty, wishes }));
  const standing = confined(own, only);
  const gpus = await withChosenGpus(world, loaded, { desired: stated, observed, standing });
  const { desired } = gpus;
  const made = makePlan({ ...input, desired, instances: standing });
  const plan: Plan = {
    ...made,
    basis: { ...made.basis, marks: markHashes(made, own) },
    ...fetchesOf(made, loaded),
    ...unreachedOf(loaded, observed),
    ...(only ? { only: [...only] } : {}),
  };
  const rest =
    only && !wishes.instead ? await leftOutBy(world, only, { input, reached, onWait: wishes.onWait }) : null;
  const found = await Promise.all([
    missingFiles(world, plan),
    previewFindings(world, plan),
    driftFindings(world, loaded, { instances: standing }),
    onDemandFindings(world, loaded, { desired, asked: named.deployments }),
    fitFindings(world, plan, { loaded: named, running: standing }),
    measured ? rateFindings(named.deployments, slotsOf(desired), measured) : [],
  ]);
  const reload = await gatewayReload(world, loaded);
  const whole: Plan = {
    ...plan,
    ...(reload ? { reload } : {}),
    ...(rest ? { leftOut: rest.leftOut } : {}),
    findings: [
      ...(await sightFindings(world, loaded, { observed, hosts: wantedHosts(loaded) })),
      ...loaded.warnings,
      ...restFindings(named),
      ...plan.findings,
      ...gpus.findings,
      ...protectedFindings(plan),
      ...(rest?.findings ?? []),
      ...foreseen(asked, [...desired, ...unseenOf(asked, named)], input.modelBytes),
      ...found.flat(),
      ...missingPrograms(plan, stated, found.flat()),
      ...heldPorts(plan, observed),
    ],
  };
  if (!Object.values(loaded.hosts).some((host) => host.kubernetes)) return whole;
  const { withGateways } = await import('../cluster-gateway/in-plan.ts');
  const silent = new Set(observed.silent.keys());
  return withGateways(world, whole, { loaded, silent, restart: restartGateway });
}

/** Of what a plan leaves alone: its first request would be refused. */
async function onDemandFindings(
  world: World,
  loaded: LoadedFleet,
  { desired, asked }: { desired: readonly DesiredReplica[]; asked: LoadedFleet['deployments'] },
): Promise<Finding[]> {
  return [...(await missingOnDemand(world, loaded, desired)), ...(await fitOnDemand(world, loaded, asked))];
}

/** What else is critical, of deployments without such faults, so that one run tells all. */
async function foundBeside(
  world: World,
  seen: Seen,
  { faulty, wishes }: { faulty: readonly DeploymentFault[]; wishes: PlanWishes },
): Promise<Finding[]> {
  const out = new Set(faulty.map(({ deployment }) => deployment));
  const { only = seen.loaded.deployments.map(({ name }) => name), restart = [], instead } = wishes;
  const rest = only.filter((name) => !out.has(name));
  if (rest.length === 0) return [];
  try {
    const { findings } = await planSeen(world, seen, {
      ...wishes,
      only: rest,
      restart: restart.filter((name) => !out.has(name)),
      ...(instead ? { instead: instead.filter(({ deployment }) => !out.has(deployment.name)) } : {}),
    });
    return findings.filter(({ severity, object }) => severity === 'critical' && rest.includes(object));
  } catch (error) {
    // What the plan of the others fails at is told once these faults are mended.
    if (error instanceof BerthError) return [];
    throw error;
  }
}

function wantedHosts({ deployments, gateway: { host } }: LoadedFleet): ReadonlySet<string> {
  return new Set([...deployments.map((one) => one.host), ...(host === undefined ? [] : [host])]);
}

/** Deployments that are to be restarted, and whether the gateway in a cluster is, which "gateway" names where no deployment does. */
function restartsOf(
  { deployments, gateway }: LoadedFleet,
  { restart = [] }: PlanWishes,
): { restart: readonly string[]; gateway: boolean } {
  const own = gateway.host !== undefined && !deployments.some(({ name }) => name === 'gateway');
  const rest = restart.filter((name) => !own || name !== 'gateway');
  return { restart: rest, gateway: rest.length < restart.length };
}

/** All that a plan is made from but what is wanted. */
async function planInput(
  world: World,
  { loaded, reached, observed }: { loaded: LoadedFleet; reached: LoadedFleet; observed: Sight },
  wishes: PlanWishes,
): Promise<Omit<PlanInput, 'desired'>> {
  const instances = instancesOf(observed, loaded);
  const [free, sizes, otherwise, secrets, ended] = await Promise.all([
    freeMemory(world, reached),
    modelSizes(world, answering(loaded, observed)),
    renderedOtherwise(world, loaded, instances),
    otherSecretsOf(world, loaded, instances),
    beingEnded(world, loaded, instances),
  ]);
  return {
    loaded,
    instances,
    renderedOtherwise: otherwise,
    otherSecrets: secrets,
    beingEnded: ended,
    unseen: new Set(
      loaded.deployments.flatMap((one) => (unseenFault(observed, one) === null ? [] : [one.name])),
    ),
    usedPorts: (host) => portsInUse(observed.hosts.get(host)),
    refresh: wishes.refresh ?? false,
    restart: wishes.restart ?? [],
    named: [...(wishes.only ?? []), ...(wishes.restart ?? [])],
    freeBytes: (host) => free.get(host) ?? null,
    traits: (options) => {
      const target = targetOf(options.kind);
      return {
        supervises: target.supervises,
        beside: target.beside(options),
        parks: target.park !== undefined,
      };
    },
    modelBytes: (host, path) => sizes.get(`${host} ${path}`) ?? 0,
  };
}

/** What asks a cluster is loaded where there is one. */
async function otherSecretsOf(
  world: World,
  { hosts }: LoadedFleet,
  instances: readonly Instance[],
): Promise<NonNullable<PlanInput['otherSecrets']>> {
  if (!Object.values(hosts).some((host) => host.kubernetes)) return new Map();
  const { otherSecrets } = await import('./live-secrets.ts');
  return otherSecrets(world, hosts, instances);
}

/** Slots of one engine of a deployment; null: it has none of its own, or does not say. */
function slotsOf(desired: readonly DesiredReplica[]): (deployment: string) => number | null {
  const slots = new Map(desired.map(({ deployment, spec }) => [deployment.name, spec.slots]));
  return (deployment) => slots.get(deployment) ?? null;
}

/** What cannot be looked at is not decided on. */
function withoutSilent(loaded: LoadedFleet, sight: Sight): LoadedFleet {
  return { ...loaded, deployments: loaded.deployments.filter((one) => unseenFault(sight, one) === null) };
}

/** Where a target alone cannot be asked, its machine still tells of files. */
function answering(loaded: LoadedFleet, { silent }: Sight): LoadedFleet {
  return { ...loaded, deployments: loaded.deployments.filter(({ host }) => !silent.has(host)) };
}

/** What is wrong as it is written is told also where nothing is decided. */
function unseenOf(asked: LoadedFleet, seen: LoadedFleet): DesiredReplica[] {
  return asWritten({
    ...asked,
    deployments: asked.deployments.filter((one) => !seen.deployments.includes(one)),
  });
}

function unreachedOf({ deployments }: LoadedFleet, sight: Sight): Pick<Plan, 'unreached'> {
  const wanted = new Set(deployments.map(({ host }) => host));
  const hosts = [...sight.silent].flatMap(([host, { code }]) => (wanted.has(host) ? [{ host, code }] : []));
  const targets = muteOf(sight, deployments).map(({ host, target, fault: { code } }) => ({
    host,
    target,
    code,
  }));
  const unreached = [...hosts, ...targets];
  return unreached.length === 0 ? {} : { unreached };
}

/** Ports that something on a machine listens on or is about to, whoever it is. */
export function portsInUse(observed: Observed | undefined): Set<number> {
  return new Set([
    ...(observed?.listeners ?? []).map((one) => one.port),
    ...(observed?.instances ?? []).flatMap((one) => one.mark?.port ?? []),
  ]);
}

/** Memory that is left, by the name of the host; hosts that are one machine are looked at once. */
export async function freeMemory(world: World, loaded: LoadedFleet): Promise<Map<string, number | null>> {
  const names = [...new Set(loaded.deployments.map((one) => one.host))];
  const onMachine = once(async (_machine: string, name: string) => {
    const there = await worldOfHost(world, loaded.hosts, name);
    return there.cluster ? null : (await detectMemory(there)).availableBytes;
  });
  const found = names.map(
    async (name) => [name, await onMachine(machineOf(loaded.hosts[name]), name)] as const,
  );
  return new Map(await Promise.all(found));
}

/** Sizes of model files by host and path. */
export async function modelSizes(world: World, loaded: LoadedFleet): Promise<Map<string, number>> {
  const onMachine = once(async (_file: string, host: string, path: string) => {
    const there = await worldOfHost(world, loaded.hosts, host);
    return there.cluster ? 0 : ((await weightBytes(there, path)) ?? 0);
  });
  const sizes = loaded.deployments.flatMap(({ model, host }) => {
    if (!model) return [];
    const { path } = model;
    const file = `${machineOf(loaded.hosts[host])} ${path}`;
    return [onMachine(file, host, path).then((size) => [`${host} ${path}`, size] as const)];
  });
  return new Map(await Promise.all(sizes));
}

/** Asks for each key once, however often it is wanted. */
function once<Args extends readonly unknown[], Value>(
  ask: (key: string, ...args: Args) => Promise<Value>,
): (key: string, ...args: Args) => Promise<Value> {
  const asked = new Map<string, Promise<Value>>();
  return (key, ...args) => {
    const answer = asked.get(key) ?? ask(key, ...args);
    asked.set(key, answer);
    return answer;
  };
}

interface HeldPort {
  readonly deployment: string;
  readonly address: string;
  readonly port: number;
  readonly holder: string;
  /** The deployment of this very fleet that holds it, which the plan leaves alone. */
  readonly by: string | null;
}

/** Ports that the plan wants and that someone holds who will still be there. */
export function foreignHolders(plan: Plan, observed: Sight): HeldPort[] {
  const leaving = plan.actions.flatMap((action) =>
    action.do === 'stop' || action.do === 'replace' ? [action.running.object] : [],
  );
  const freed = new Set(
    observed.instances
      // What still listens and counts as ended is about to: its successor waits for it.
      .filter((one) => !one.alive || leaving.some((object) => sameObject(object, one.object)))
      .flatMap((one) => one.endpoints.map((end) => `${one.host} ${end.port}`)),
  );
  return plan.actions.flatMap((action) => {
    if (action.do !== 'start' && action.do !== 'replace') return [];
    const { port, address } = action.wanted;
    const seen = observed.hosts.get(action.host);
    const holder = seen ? holderOf(seen, action.wanted) : null;
    const machine = machineOf(plan.hosts[action.host]);
    if (!holder || freed.has(`${machine} ${port}`)) return [];
    const ours = instancesOf(observed, plan).find(
      (one) => one.host === machine && one.endpoints.some((end) => end.port === port),
    );
    const by = ours?.mark?.deployment ?? null;
    return [{ deployment: action.deployment, address, port, holder: holder.text, by }];
  });
}

/** Why it is not applied. */
export function portFault({ only }: Plan, { by, ...held }: HeldPort): BerthError {
  return only && by !== null
    ? new BerthError('PORT_OF_LEFT_OUT', { ...held, by })
    : new BerthError('PORT_TAKEN', held);
}

function heldPorts(plan: Plan, observed: Sight): Finding[] {
  return foreignHolders(plan, observed).map(({ deployment, port, holder, by }) => ({
    rule: 'port-held',
    severity: 'critical',
    object: deployment,
    message: `Port ${port} is held by ${holder}.`,
    evidence: [`port ${port}`, holder],
    cure:
      plan.only && by !== null
        ? `It becomes free when ${by} changes too: name ${by} with --only as well.`
        : `Stop that program, or name another port than ${port}.`,
  }));
}
