import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Finding } from '../../domain/finding.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { engineOf } from '../../engines/registry.ts';
import { filesInWords } from './files-in-words.ts';
import { rollingFindings } from './rolling-image.ts';
import { sharedClaims } from './shared-claims.ts';
import { targetOf } from '../../targets/registry.ts';
import { launchSpecOf } from './launch-spec-of.ts';
import type { DesiredReplica } from './desired.ts';
import { accessOf } from '../file/hosts.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';

/** What the file asks for that will go badly though it starts. Pure. */
export function foreseen(
  loaded: LoadedFleet,
  desired: readonly DesiredReplica[],
  modelBytes: (host: string, path: string) => number,
): Finding[] {
  // Replicas are alike.
  const first = desired.filter(({ replica }) => replica === 0);
  return [
    ...first.flatMap((one) => atOdds(one, modelBytes)),
    ...first.flatMap(({ deployment, spec }) => filesInWords(deployment, spec, isFar(loaded, deployment))),
    ...sharedClaims(loaded, first),
    ...duplicates(loaded, first),
  ];
}

function isFar({ hosts }: LoadedFleet, { host }: Deployment): boolean {
  return machineOf(accessOf(hosts[host])) !== thisMachine;
}

/** The first replica of each deployment, without a look at any machine. One that cannot be started is told by a plan. */
export function asWritten({ deployments }: LoadedFleet): DesiredReplica[] {
  return deployments.flatMap((deployment) => {
    try {
      const spec = launchSpecOf(deployment, { cores: null, help: null, key: null });
      return spec ? [{ deployment, replica: 0, spec }] : [];
    } catch (error) {
      if (error instanceof BerthError) return [];
      throw error;
    }
  });
}

function atOdds(
  { deployment, spec }: DesiredReplica,
  modelBytes: (host: string, path: string) => number,
): Finding[] {
  const { name, engine, target, host, gpus, model, replicas } = deployment;
  const bounds = targetOf(target.kind).bounds?.(spec, target) ?? {
    cpus: null,
    memoryBytes: null,
    image: null,
  };
  // What can be seen counts before what the file says.
  const seen = spec.model === null ? 0 : modelBytes(host, spec.model);
  const place = { ...bounds, gpus, modelBytes: seen || (model?.size ?? 0) };
  const found = [
    ...(engineOf(engine.kind).foresee?.(engine, place) ?? []),
    ...(targetOf(target.kind).foresee?.(spec, target, replicas) ?? []),
  ];
  return [
    ...notHeld(deployment),
    ...notLocked(deployment, spec),
    ...rollingFindings(deployment, bounds.image),
    ...found.map((one) => ({ ...one, severity: 'warning' as const, object: name })),
  ];
}

/** Nobody holds a plain process to what the file gives it. */
function notHeld({ name, resources, target }: Deployment): Finding[] {
  if (!resources || targetOf(target.kind).bounds) return [];
  return [
    {
      rule: 'resources-not-held',
      severity: 'warning',
      object: name,
      message: `Its resources are not held: nobody bounds ${targetOf(target.kind).title}, and nothing is kept for it.`,
      evidence: [`target ${target.kind}`],
      cure: 'Name a target that bounds it, such as {kind: systemd} or {kind: docker}; only its threads go by the limit of CPUs.',
    },
  ];
}

/** No capability is added for it: namespaces that hold pods to a standard refuse those that ask for one. */
function notLocked({ name, target }: Deployment, { lockedMemory }: LaunchSpec): Finding[] {
  if (!lockedMemory || !targetOf(target.kind).inCluster) return [];
  return [
    {
      rule: 'memory-not-locked',
      severity: 'info',
      object: name,
      message:
        'It is to hold its model in memory, and a pod may lock what its node lets containers lock: where that is little, the engine says so in its log and serves without.',
      evidence: [`target ${target.kind}`],
      cure: 'Raise the limit of the service that runs containers on the nodes (LimitMEMLOCK=infinity for containerd or CRI-O), or leave mlock out: pods are not swapped out where nodes have no swap.',
    },
  ];
}

/** Replicas of one deployment are meant to be several; those on demand take turns. */
function duplicates({ hosts }: LoadedFleet, desired: readonly DesiredReplica[]): Finding[] {
  const running = desired.filter(
    ({ deployment }) => deployment.model !== null && deployment.onDemand === null,
  );
  const same = Map.groupBy(running, ({ deployment }) =>
    [machineOf(accessOf(hosts[deployment.host])), deployment.model?.path].join(' '),
  );
  return [...same.values()].flatMap((group): Finding[] => {
    const [keep, ...others] = group.map(({ deployment }) => deployment.name);
    if (keep === undefined || others.length === 0) return [];
    const inCluster = hosts[group[0]?.deployment.host ?? '']?.kubernetes !== undefined;
    const where = inCluster ? 'in one namespace of a cluster' : 'on one machine';
    return [
      {
        rule: 'duplicate',
        severity: 'warning',
        object: keep,
        message: `${[keep, ...others].join(' and ')} serve the same model ${where}: each holds all of it.`,
        evidence: [group[0]?.deployment.model?.path ?? ''],
        cure: `Keep ${keep} with more slots, send the others' clients there (a route with aliases), and take out ${others.join(', ')}.`,
      },
    ];
  });
}
