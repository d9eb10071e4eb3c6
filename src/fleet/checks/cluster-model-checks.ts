import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { isAddress, shownSource } from '../../domain/model-source.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster } from './port-checks.ts';

/** A deployment with what the file says of its model there. */
interface Placed {
  readonly deployment: Located;
  readonly host: string;
  readonly named: Located;
  readonly source: string;
  /** Where the cluster has it; null: nothing is said. */
  readonly place: Located | null;
  readonly secret: Located | null;
}

/** Models that nobody would bring to the pods of their deployment, or two at once. */
export function clusterModelFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const placed = placedModel(tree, deployment);
    if (!placed) return [];
    const kind = scalarAt(deployment, ['target', 'kind']);
    if (kind === 'kserve') return kserveFaults(placed);
    return isCluster(tree, placed.host) ? unfetchedFaults(placed) : imageFaults(placed);
  });
}

/** Null for a server that berth does not start, and where the file says no model. */
function placedModel(tree: Located, deployment: Located): Placed | null {
  const engine = engineIn(deployment);
  const named = pieceAt(deployment, ['model']);
  const name = scalarAt(deployment, ['model']);
  if (!named || typeof name !== 'string' || (engine && 'external' in engine)) return null;
  const source = scalarAt(tree, ['models', name, 'source']);
  if (typeof source !== 'string') return null;
  const host = hostOf(tree, deployment);
  return {
    deployment,
    host,
    named,
    source,
    place: pieceAt(tree, ['models', name, 'at', host]),
    secret: pieceAt(tree, ['models', name, 'secret']),
  };
}

function kserveFaults({ deployment, named, source, place, secret, host }: Placed): ConfigFault[] {
  const connection = pieceAt(deployment, ['target', 'connection']);
  const fetch = place && pieceAt(place, ['fetch']);
  if (fetch)
    return [
      fault(
        fetch,
        fetch.keyAt,
        'KServe fetches models itself, and no Job fills a claim for it.',
        `Leave at.${host} out, and KServe or the engine fetches ${shownSource(source)}; or fill the claim otherwise and name it without fetch.`,
      ),
    ];
  if (connection && secret)
    return [
      fault(
        connection,
        connection.keyAt,
        "A connection and the model's secret both say how it is fetched.",
        'Leave one out: target.connection, or models.NAME.secret.',
      ),
    ];
  if (connection && place)
    return [
      fault(
        connection,
        connection.keyAt,
        'A connection brings the model, and models.NAME.at says that it lies in the cluster.',
        `Leave one out: target.connection, or models.NAME.at.${host}.`,
      ),
    ];
  if (source.startsWith('oci://') && !place && secret)
    return [
      fault(
        secret,
        secret.at,
        'An image is fetched by its node, which has no secret of a model.',
        'Leave secret out, and name the Secret with the keys of its registry in target.pullSecrets.',
      ),
    ];
  if (isAddress(source) || place) return [];
  return [
    fault(
      named,
      named.at,
      `Its file lies on this machine (${source}), and pods of host ${host} cannot open it there.`,
      `Say under models.NAME.at.${host} which claim has it, or name a source that KServe fetches: s3://, https://, oci:// or hf://.`,
    ),
  ];
}

/** Pods of a plain Deployment open what the cluster has; of what lies elsewhere an engine fetches a model of the Hub alone. */
function unfetchedFaults({ named, source, place, host }: Placed): ConfigFault[] {
  if (place || !isAddress(source) || /^(hf|pvc):\/\//.test(source)) return [];
  return [
    fault(
      named,
      named.at,
      `Nobody fetches ${shownSource(source)} for a pod of host ${host}.`,
      source.startsWith('oci://')
        ? 'Use target kserve, or name another source.'
        : `Say under models.NAME.at.${host} where the cluster has it (a claim with fetch is filled by a Job), or use target kserve.`,
    ),
  ];
}

function imageFaults({ named, source, host }: Placed): ConfigFault[] {
  if (!source.startsWith('oci://')) return [];
  return [
    fault(
      named,
      named.at,
      `Its files lie in an image, which KServe serves from, and host ${host} is a machine.`,
      'Name a host that is a cluster with target kserve, or another model.',
    ),
  ];
}
