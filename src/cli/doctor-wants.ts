import { filesOfHere } from '../domain/given-files.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isAddress } from '../domain/model-source.ts';
import type { Wants } from '../doctor/contract.ts';
import { engineOf } from '../engines/registry.ts';
import { launchSpecOf } from '../fleet/plan/launch-spec-of.ts';
import { accessOf } from '../fleet/file/hosts.ts';
import { usualPorts } from '../fleet/plan/ports.ts';
import type { Deployment, LoadedFleet } from '../fleet/file/resolve.ts';
import { usesHostPrograms } from '../targets/registry.ts';

export const nothingWanted: Wants = {
  targets: [],
  gpus: 0,
  programs: [],
  ports: [],
  pool: usualPorts,
  models: [],
  givesFiles: false,
  mlock: false,
  cluster: null,
};

/** What the deployments of one host need of it. */
export function wantsOf(loaded: LoadedFleet, host: string): Wants {
  const there = loaded.deployments.filter((one) => one.host === host && engineOf(one.engine.kind).launch);
  const doors = [
    ...loaded.gateway.listen.map((listen) => ({ ...listen, what: 'the gateway' })),
    { ...loaded.console.listen, what: 'the console' },
  ];
  const pinned = there.flatMap(({ name, port }) =>
    port === null ? [] : [{ port, address: '127.0.0.1', what: name }],
  );
  return {
    targets: [...new Set(there.map((one) => one.target.kind))],
    gpus: gpusOf(there),
    programs: there.flatMap(programOf),
    ports: [
      ...(accessOf(loaded.hosts[host]).ssh === undefined ? doors.filter(({ port }) => port !== 0) : []),
      ...pinned,
    ],
    pool: loaded.hosts[host]?.ports ?? usualPorts,
    models: [...new Set(there.flatMap(({ model }) => (model && !isAddress(model.path) ? [model.path] : [])))],
    givesFiles: there.some(isGivenFiles),
    mlock: there.some(locksOwnMemory),
    cluster: accessOf(loaded.hosts[host]).kubernetes ?? null,
  };
}

/** Units and containers have their limit raised for it; processes have that of berth. */
function locksOwnMemory({ declared, target }: Deployment): boolean {
  return target.kind === 'process' && String(declared['engine.loadMode']).includes('mlock');
}

function gpusOf(deployments: readonly Deployment[]): number {
  const each = deployments.map(({ gpus, replicas, onDemand }) => ({ count: gpus * replicas, onDemand }));
  const always = each.filter(({ onDemand }) => onDemand === null).reduce((sum, { count }) => sum + count, 0);
  const turns = each.filter(({ onDemand }) => onDemand !== null).map(({ count }) => count);
  return Math.max(always, ...turns);
}

function programOf(deployment: Deployment): Wants['programs'] {
  if (!usesHostPrograms(deployment.target)) return [];
  const binary = specOf(deployment)?.program.binary;
  return binary === undefined ? [] : [{ binary, deployment: deployment.name }];
}

function isGivenFiles(deployment: Deployment): boolean {
  const spec = specOf(deployment);
  return spec !== null && filesOfHere(spec).length > 0;
}

/** Null for a faulty deployment, which is told by `plan`; here it wants nothing. */
function specOf(deployment: Deployment): LaunchSpec | null {
  try {
    return launchSpecOf(deployment, { cores: null, help: null, key: null });
  } catch {
    return null;
  }
}
