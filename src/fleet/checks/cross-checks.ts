import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { nearest } from '../../domain/nearest.ts';
import { targets } from '../../targets/registry.ts';
import { benchmarkFaults } from './benchmark-checks.ts';
import { claimFaults } from './claim-checks.ts';
import { clusterModelFaults } from './cluster-model-checks.ts';
import { fetchSecretFaults } from './fetch-secret-checks.ts';
import { demandFaults } from './demand-checks.ts';
import { experimentFaults } from './experiment-checks.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { gatewayFaults } from './gateway-checks.ts';
import { homeFaults } from './home-checks.ts';
import { kserveFaults } from './kserve-checks.ts';
import { gpuFaults } from './gpu-checks.ts';
import { limitFaults } from './limit-checks.ts';
import { objectNameFaults } from './object-name-checks.ts';
import { hostOf, isCluster, portFaults, twiceNamedFaults } from './port-checks.ts';
import { openshiftFaults } from './openshift-checks.ts';
import { referenceFault } from '../file/references.ts';
import { resourceFaults } from './resource-checks.ts';
import { routeFaults } from './route-checks.ts';
import { runtimeFaults } from './runtime-checks.ts';
import { clusterSecretFaults, gatewaySecretFaults, misplacedSecrets } from './secret-checks.ts';
import { sourceFaults } from './source-checks.ts';
import { tlsSecretFaults } from './tls-secret-checks.ts';
import { unitFaults } from './unit-checks.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/**
 * Faults between the parts of a fleet file. They are looked for in the tree as it stands, valid or not, so that they are told
 * together with those of the schema; what has the wrong type is passed over here.
 */
export function crossFaults(tree: Located): ConfigFault[] {
  return [
    ...hostFaults(tree),
    ...deploymentFaults(tree),
    ...portFaults(tree),
    ...twiceNamedFaults(tree),
    ...objectNameFaults(tree),
    ...runtimeFaults(tree),
    ...kserveFaults(tree),
    ...openshiftFaults(tree),
    ...unitFaults(tree),
    ...clusterModelFaults(tree),
    ...fetchSecretFaults(tree),
    ...claimFaults(tree),
    ...gatewayFaults(tree, hostNames(tree)),
    ...tlsSecretFaults(tree),
    ...routeFaults(tree),
    ...experimentFaults(tree),
    ...limitFaults(tree),
    ...demandFaults(tree),
    ...resourceFaults(tree),
    ...gpuFaults(tree),
    ...benchmarkFaults(tree),
    ...sourceFaults(tree),
    ...homeFaults(tree),
    ...nameFaults(tree),
    ...misplacedSecrets(tree),
    ...clusterSecretFaults(tree),
    ...gatewaySecretFaults(tree),
  ];
}

function hostNames(tree: Located): string[] {
  return [...new Set([...entriesAt(tree, ['hosts']).map(([name]) => name), 'local'])];
}

/** A host is this machine, another one, or a cluster. */
function hostFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['hosts']).flatMap(([, host]) => {
    const ways = ['local', 'ssh', 'kubernetes'].flatMap((key) => pieceAt(host, [key]) ?? []);
    const [, second] = ways;
    if (!second) return [];
    return [
      fault(second, second.keyAt, 'A host is reached in one way.', 'Keep one of local, ssh and kubernetes.'),
    ];
  });
}

function deploymentFaults(tree: Located): ConfigFault[] {
  const models = entriesAt(tree, ['models']).map(([name]) => name);
  const hosts = entriesAt(tree, ['hosts']).map(([name]) => name);
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const faults: ConfigFault[] = [];
    const model = pieceAt(deployment, ['model']);
    const host = pieceAt(deployment, ['host']);
    if (model) faults.push(...referenceFault(model, 'model', models));
    if (host) faults.push(...referenceFault(host, 'host', hostNames(tree)));
    else if (hosts.length > 1 && lacks(deployment, 'host'))
      faults.push(
        fault(deployment, deployment.keyAt, '"host" is missing.', `Add host: one of ${hosts.join(', ')}.`),
      );
    return [...faults, ...engineFaults(deployment), ...placeFaults(tree, deployment)];
  });
}

/** A cluster runs nothing but what is made for one, a machine everything else; engines of a cluster are not started on demand. */
function placeFaults(tree: Located, deployment: Located): ConfigFault[] {
  const host = hostOf(tree, deployment);
  const inCluster = isCluster(tree, host);
  const kind = pieceAt(deployment, ['target', 'kind']);
  const target = targets.find((one) => one.kind === scalarAt(deployment, ['target', 'kind']));
  const faults: ConfigFault[] = [];
  if (kind && target && 'inCluster' in target !== inCluster) {
    const fitting = targets.filter((one) => 'inCluster' in one === inCluster).map((one) => one.kind);
    const what = inCluster ? 'a cluster' : 'a machine';
    faults.push(
      fault(
        kind,
        kind.at,
        `Host ${host} is ${what}, where the target ${target.kind} does not run.`,
        `Name one of: ${fitting.join(', ')}; or another host.`,
      ),
    );
  }
  const model = pieceAt(deployment, ['model']);
  const source = scalarAt(tree, ['models', String(scalarAt(deployment, ['model'])), 'source']);
  if (!inCluster && model && typeof source === 'string' && source.startsWith('pvc://'))
    faults.push(
      fault(
        model,
        model.at,
        `Its files lie in a claim of a cluster, and host ${host} is a machine.`,
        'Name a host that is a cluster, or another model.',
      ),
    );
  const load = pieceAt(deployment, ['load']);
  if (inCluster && load && scalarAt(deployment, ['load']) === 'on-demand')
    faults.push(
      fault(
        load,
        load.at,
        'Engines of a cluster are not started on demand yet.',
        'Remove load, or name another host.',
      ),
    );
  return faults;
}

/** False when the key is there, or one that was meant to be it and is told as misspelt. */
function lacks(deployment: Located, key: string): boolean {
  if (deployment.content.kind !== 'map') return false;
  const { entries } = deployment.content;
  return !entries.has(key) && ![...entries.keys()].some((own) => nearest(own, [key]) === key);
}

function engineFaults(deployment: Located): ConfigFault[] {
  const engine = engineIn(deployment);
  if (!engine) return [];
  const faults: ConfigFault[] = [];
  if ('needsModel' in engine && engine.needsModel && lacks(deployment, 'model'))
    faults.push(
      fault(
        deployment,
        deployment.keyAt,
        '"model" is missing.',
        `The engine ${engine.kind} needs one: add model.`,
      ),
    );
  const model = pieceAt(deployment, ['model']);
  if ('modelsPath' in engine && model)
    faults.push(
      fault(
        model,
        model.keyAt,
        `"model" has no meaning here: an engine of kind ${engine.kind} has models of its own.`,
        'Remove it; the options of the engine name its models.',
      ),
    );
  if ('external' in engine)
    for (const key of ['port', 'replicas', 'gpus', 'resources']) {
      const piece = pieceAt(deployment, [key]);
      if (piece)
        faults.push(
          fault(
            piece,
            piece.keyAt,
            `"${key}" has no meaning here: berth does not start a server of engine ${engine.kind}.`,
            'Remove it.',
          ),
        );
    }
  return faults;
}

/** A hub names a model of several files by its quantization, and an engine opens one of them by its name. */
function nameFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['models']).flatMap(([, model]) => {
    const source = scalarAt(model, ['source']);
    if (typeof source !== 'string' || !/^hf:\/\/[^/]+\/[^/:]+:/.test(source)) return [];
    return entriesAt(model, ['at']).flatMap(([host, place]) => {
      if (pieceAt(place, ['path'])) return [];
      return [
        fault(
          place,
          place.keyAt,
          `The name of its file there is not known.`,
          `Add path: its name in that place of ${host}, such as "model.Q5_K_M.gguf"; "berth models show ${source}" lists those of the hub.`,
        ),
      ];
    });
  });
}
