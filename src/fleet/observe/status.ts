import type { BegunEnd } from '../../domain/begun-ends.ts';
import type { Finding } from '../../domain/finding.ts';
import type {
  ClusterGatewayStatus,
  DeploymentStatus,
  FleetStatus,
  LlmServicesStatus,
  ReplicaStatus,
} from '../../domain/fleet-status.ts';
import { usableCores } from '../../domain/hardware.ts';
import { objectKey } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { engineOf } from '../../engines/registry.ts';
import { detectCpu } from '../../hardware/detect.ts';
import type { SecretRef } from '../../domain/secret.ts';
import { resolveSecret } from '../../io/secret-values.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { beingEnded } from '../plan/being-ended.ts';
import { restFindings } from '../plan/at-rest.ts';
import { parkedFindings } from '../plan/parked.ts';
import { givenSpecOf } from '../plan/given-spec.ts';
import { declaredDifferences, sameSpec } from '../plan/differences.ts';
import { engineKeyOf, sentKeyFile } from '../apply/engine-key.ts';
import { routesOf } from '../gateway/gateway-config.ts';
import { worldOfInstance } from '../file/hosts.ts';
import { inPlaceFirst } from '../file/named-secrets.ts';
import { haveFailed } from './have-failed.ts';
import { instancesOf, observeFleet, unseenFault } from './observe.ts';
import { sightFindings } from './sight-findings.ts';
import { tellSlow, waitLine } from './tell-slow.ts';
import type { Sight } from './observe.ts';
import { probe, urlOf } from '../apply/ready.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { readUpState } from '../up/up-state.ts';
import type { UpState } from '../up/up-state.ts';

const externalProbeMs = 3_000;
/** A server elsewhere may count or bill each question, so its answer is kept for a while. */
const externalKeepMs = 30_000;

/** Answers of servers elsewhere, kept between calls of `fleetStatus`. */
export type ExternalAnswers = Map<string, { readonly at: number; readonly ready: boolean }>;

/** A server that runs here or answers elsewhere. */
export interface FoundReplica {
  readonly deployment: string;
  readonly replica: number;
  readonly url: string;
  readonly pid: number | null;
  /** What it is asked with. */
  readonly key: SecretRef | null;
}

export interface Looking {
  readonly answers?: ExternalAnswers;
  /** Hears whom it waits for, where one takes longer than a second. */
  readonly onWait?: ((line: string) => void) | undefined;
  /** Hears of each server before that is asked anything. */
  readonly found?: (one: FoundReplica) => void;
  /** Nobody is asked whether it is ready: what runs is taken to be. */
  readonly unasked?: true | undefined;
}

/** The fleet as the file wants it beside what runs now. Reads and asks only, all servers side by side. */
export async function fleetStatus(
  world: World,
  loaded: LoadedFleet,
  looking: Looking = {},
): Promise<FleetStatus> {
  const [observed, up] = await Promise.all([observeFleet(world, loaded.hosts), readUpState(world, loaded)]);
  const own = instancesOf(observed, loaded);
  const ends = await beingEnded(world, loaded, own);
  const deployments = await Promise.all(
    loaded.deployments.map((one) =>
      deploymentStatus(world, one, {
        own,
        ends,
        looking: { ...looking, answers: looking.answers ?? new Map() },
        up,
        loaded,
        silent: unseenFault(observed, one) !== null,
      }),
    ),
  );
  const { host } = loaded.gateway;
  const llm = await llmServicesBeside(world, loaded, observed);
  return {
    version: 1,
    fleet: loaded.fleet,
    at: world.clock.wall().toISOString(),
    deployments,
    routes: routesOf(loaded),
    gateway: {
      state: up?.gateway ? 'serving' : 'stopped',
      url: up?.gateway?.url ?? null,
      pid: up?.gateway?.pid ?? null,
    },
    ...(host === undefined
      ? {}
      : { clusterGateway: await ofCluster(world, loaded, { host, silent: observed.silent.has(host) }) }),
    console: {
      state: up?.console ? 'serving' : 'stopped',
      url: up?.console?.url ?? null,
      pid: up?.console ? up.process.pid : null,
    },
    ...(llm.length > 0 ? { llmServices: llm } : {}),
    foreign: observed.instances.length - own.length,
    findings: [
      ...(await sightFindings(world, loaded, {
        observed,
        hosts: new Set(loaded.deployments.map((one) => one.host)),
      })),
      ...restFindings(loaded),
      ...parkedFindings(loaded, own),
      ...strays(loaded, own),
      ...cutOffEnds(own, ends),
      ...(up ? [...oldConfiguration(up), ...haveFailed(up, loaded), ...haveHung(up)] : unwatched(own)),
    ],
  };
}

async function ofCluster(
  ...asked: [World, LoadedFleet, { host: string; silent: boolean }]
): Promise<ClusterGatewayStatus> {
  return (await import('../cluster-gateway/status.ts')).gatewayStatus(...asked);
}

/** What asks a cluster is loaded where a deployment is one of KServe. */
async function llmServicesBeside(
  world: World,
  loaded: LoadedFleet,
  { silent }: Sight,
): Promise<LlmServicesStatus[]> {
  const hosts = new Set(
    loaded.deployments.flatMap(({ host, target }) =>
      target.kind === 'kserve' && !silent.has(host) ? [host] : [],
    ),
  );
  if (hosts.size === 0) return [];
  return (await import('./llm-services.ts')).llmServicesOf(world, loaded, [...hosts]);
}

interface StatusContext {
  readonly own: readonly Instance[];
  /** What of it is about to end, by `objectKey`. */
  readonly ends: ReadonlyMap<string, BegunEnd>;
  readonly looking: Looking & { readonly answers: ExternalAnswers };
  readonly up: UpState | null;
  readonly loaded: LoadedFleet;
  /** Its host did not answer, or its target there could not be asked. */
  readonly silent: boolean;
}

async function deploymentStatus(
  world: World,
  deployment: Deployment,
  { own, ends, looking, up, loaded, silent }: StatusContext,
): Promise<DeploymentStatus> {
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine);
  const indices = Array.from({ length: external ? 1 : deployment.replicas }, (_, replica) => replica);
  return {
    name: deployment.name,
    engine: deployment.engine.kind,
    target: external ? null : deployment.target.kind,
    host: deployment.host,
    model: deployment.model?.path ?? external?.servedModel ?? null,
    replicas: await Promise.all(
      indices.map(async (replica): Promise<ReplicaStatus> => {
        if (external) {
          looking.found?.({
            deployment: deployment.name,
            replica,
            url: external.url,
            pid: null,
            key: external.key,
          });
          return externalStatus(world, deployment, looking);
        }
        const all = own.filter(
          ({ mark }) => mark?.deployment === deployment.name && mark.replica === replica,
        );
        const there = inPlaceFirst(world, all);
        const running = there.filter((one) => one.alive);
        const instance = running.find((one) => !ends.has(objectKey(one.object))) ?? running[0] ?? there[0];
        // What cannot be seen is not called stopped.
        if (silent && !instance) return { ...stopped(replica), state: 'unreachable' as const };
        return instance
          ? runningStatus(world, loaded, { deployment, instance, ends, up, looking })
          : {
              ...stopped(replica),
              ...(deployment.onDemand ? { state: restingState(deployment.name, up) } : {}),
            };
      }),
    ),
  };
}

function restingState(deployment: string, up: UpState | null): 'fetching' | 'unloaded' {
  return up?.fetching.includes(deployment) ? 'fetching' : 'unloaded';
}

function stopped(replica: number): ReplicaStatus {
  return {
    replica,
    state: 'stopped',
    url: null,
    object: null,
    pid: null,
    restarts: null,
    port: null,
    since: null,
    rssBytes: null,
    slots: null,
    outdated: false,
  };
}

async function runningStatus(
  home: World,
  loaded: LoadedFleet,
  {
    deployment,
    instance,
    ends,
    up,
    looking: { found, onWait, unasked },
  }: Pick<StatusContext, 'ends' | 'up' | 'looking'> & { deployment: Deployment; instance: Instance },
): Promise<ReplicaStatus> {
  const world = await worldOfInstance(home, loaded.hosts, instance);
  const mark = instance.mark as NonNullable<Instance['mark']>;
  const age = world.clock.wall().getTime() - Date.parse(instance.startedAt ?? '');
  const pid = instance.process?.pid ?? null;
  const url = urlOf(mark);
  const file = sentKeyFile(world, mark);
  const key = file === null ? null : { file };
  if (instance.alive) found?.({ deployment: deployment.name, replica: mark.replica, url, pid, key });
  const ending = instance.alive && ends.has(objectKey(instance.object));
  const asked = instance.alive && !ending && !unasked ? probe(world, mark) : Promise.resolve('');
  const wait = onWait && ((): void => onWait(waitLine({ deployment: deployment.name, url })));
  const [answer, used, outdated] = await Promise.all([
    tellSlow(world.clock, asked, wait),
    targetOf(instance.object.target).usage(world, instance),
    isOutdated(world, deployment, mark),
  ]);
  return {
    replica: mark.replica,
    state: instance.alive ? aliveState({ ending, answer, age }, mark) : 'stopped',
    url,
    object: instance.object.name,
    pid,
    restarts: restartsOf(mark, used.restarts, up),
    port: mark.port,
    since: instance.startedAt,
    rssBytes: used.memoryBytes ?? instance.rssBytes,
    ...(typeof used.cores === 'number' ? { cores: used.cores } : {}),
    slots: mark.spec.slots,
    outdated,
  };
}

/** `answer`: what is wrong with what it says, "" where nothing is. `age`: milliseconds since its start. */
function aliveState(
  { ending, answer, age }: { ending: boolean; answer: string; age: number },
  { spec }: Mark,
): ReplicaStatus['state'] {
  if (ending) return 'ending';
  if (answer === '') return 'ready';
  return age < spec.readiness.startTimeoutMs ? 'starting' : 'failing';
}

/** What its target counts, and what `berth up` has done. */
function restartsOf(mark: Mark, byTarget: number | null, up: UpState | null): number | null {
  if (up === null) return byTarget;
  const own = up.restarts.find((one) => one.deployment === mark.deployment && one.replica === mark.replica);
  return (byTarget ?? 0) + (own ? own.ended + own.hung : 0);
}

/** As the plan sees it, but without asking the engine's program for its flags. */
export async function isOutdated(world: World, deployment: Deployment, mark: Mark): Promise<boolean> {
  if (deployment.port !== null && deployment.port !== mark.port) return true;
  if (declaredDifferences(mark.declared, deployment.declared).length === 0) return false;
  const cores = usableCores(await detectCpu(world));
  const key = engineKeyOf(world, mark, deployment);
  const spec = await givenSpecOf(world, deployment, { cores, help: null, key }).catch(() => null);
  return spec === null || !sameSpec(spec, mark.spec);
}

async function externalStatus(
  world: World,
  deployment: Deployment,
  { answers, onWait, unasked }: StatusContext['looking'],
): Promise<ReplicaStatus> {
  const external = engineOf(deployment.engine.kind).external?.(deployment.engine);
  const now = world.clock.now();
  let kept = answers.get(deployment.name);
  if (external && !unasked && (!kept || now - kept.at > externalKeepMs)) {
    const key = external.key ? await resolveSecret(world, external.key).catch(() => null) : null;
    const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
    const ca = external.caFile === null ? null : await world.files.read(external.caFile);
    const url = external.url + (external.healthPath ?? '/v1/models');
    const asked = world.http
      .request(url, { headers, timeoutMs: externalProbeMs, ...(ca === null ? {} : { ca }) })
      // Without the key, which this shell may lack, a server that asks for it does answer.
      .then(({ status }) => status < 400 || (external.key !== null && key === null && status === 401))
      .catch(() => false);
    const wait = onWait && ((): void => onWait(waitLine({ deployment: deployment.name, url: external.url })));
    const ready = await tellSlow(world.clock, asked, wait);
    kept = { at: now, ready };
    answers.set(deployment.name, kept);
  }
  return {
    ...stopped(0),
    state: kept?.ready ? 'ready' : 'unreachable',
    url: external?.url ?? null,
    slots: external?.slots ?? null,
  };
}

/** Engines of this fleet that the file no longer wants. */
function strays(loaded: LoadedFleet, own: readonly Instance[]): Finding[] {
  return own.flatMap((instance): Finding[] => {
    const { mark } = instance;
    const wanted = loaded.deployments.find((one) => one.name === mark?.deployment)?.replicas ?? 0;
    if (!mark || mark.replica < wanted) return [];
    return [
      {
        rule: 'not-in-file',
        severity: 'warning',
        object: `${mark.deployment}-${mark.replica}`,
        message: `${mark.deployment} (replica ${mark.replica}) runs, and the file does not want it.`,
        evidence: [instance.object.name, `port ${mark.port}`],
        cure: '"berth apply" stops it.',
      },
    ];
  });
}

function cutOffEnds(own: readonly Instance[], ends: StatusContext['ends']): Finding[] {
  return own.flatMap(({ object, mark }): Finding[] => {
    const end = ends.get(objectKey(object));
    if (!mark || !end?.cutOff) return [];
    return [
      {
        rule: 'end-cut-off',
        severity: 'warning',
        object: `${mark.deployment}-${mark.replica}`,
        message: `${mark.deployment} (replica ${mark.replica}) runs and may go any moment: a command that was killed had begun to end it at ${end.at}.`,
        evidence: [object.name],
        cure: '"berth apply" ends it, and starts what the file wants.',
      },
    ];
  });
}

function unwatched(own: readonly Instance[]): Finding[] {
  const alone = own.filter((one) => !targetOf(one.object.target).supervises);
  if (alone.length === 0) return [];
  return [
    {
      rule: 'unwatched',
      severity: 'info',
      object: 'fleet',
      message: 'Engines run and nothing restarts one that crashes, since "berth up" does not run.',
      evidence: [`${alone.length} running`],
      cure: 'Run "berth up" (or "berth up --detach"): it takes them over without a restart.',
    },
  ];
}

function haveHung({ restarts }: UpState): Finding[] {
  return restarts.flatMap(({ deployment, replica, hung, hungAt }): Finding[] =>
    hungAt === null
      ? []
      : [
          {
            rule: 'engine-hung',
            severity: 'warning',
            object: `${deployment}-${replica}`,
            message: `${deployment} (replica ${replica}) ran without answering and was restarted, the last time at ${hungAt}.`,
            evidence: [`${hung} times since "berth up" began`],
            cure: `Look at its last lines with "berth logs ${deployment}"; "hungAfter" sets how long it may be silent.`,
          },
        ],
  );
}

function oldConfiguration({ refused, process: { pid } }: UpState): Finding[] {
  if (refused === null) return [];
  return [
    {
      rule: 'old-configuration',
      severity: 'warning',
      object: 'fleet',
      message: `The running berth up (process ${pid}) did not take in the latest fleet file: ${refused}`,
      evidence: [refused],
      cure: 'Correct the file and run "berth apply".',
    },
  ];
}
