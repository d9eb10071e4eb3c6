import { engineOf } from '../../engines/registry.ts';

type Plain = Readonly<Record<string, unknown>>;

/** What a gateway takes of a fleet's files, in their own words: what is compared when they change. */
export interface WrittenGateway {
  readonly gateway: Plain;
  readonly deployments: Readonly<Record<string, Plain>>;
  readonly experiments: Plain;
}

/** What it takes of a deployment beside what its engines are started with. */
const ofDeployment = ['policy', 'limits', 'onClientAbort', 'load', 'ttl', 'memory', 'hungAfter'];
/** Of a gateway that runs in a cluster, and there alone. */
const ofCluster = ['host', 'replicas', 'image'];

/** Of files as they are, with their defaults filled in. Pure. */
export function writtenGateway(files: unknown): WrittenGateway {
  const { gateway, deployments, experiments } = plainOf(files);
  const named = Object.entries(plainOf(deployments)).map(
    ([name, entry]) => [name, partOf(plainOf(entry))] as const,
  );
  return {
    gateway: Object.fromEntries(Object.entries(plainOf(gateway)).filter(([key]) => !ofCluster.includes(key))),
    deployments: Object.fromEntries(named.filter(([, part]) => Object.keys(part).length > 0)),
    experiments: plainOf(experiments),
  };
}

/** Of a server that berth only reaches, and of one that the gateway asks for, all that is said of it. */
function partOf(entry: Plain): Plain {
  const { kind } = plainOf(entry['engine']);
  const reached = typeof kind === 'string' && engineOf(kind).external !== undefined;
  const keys =
    reached || entry['load'] === 'on-demand'
      ? [...ofDeployment, 'engine', 'model', 'replicas']
      : ofDeployment;
  return Object.fromEntries(keys.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]]])));
}

function plainOf(value: unknown): Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Plain) : {};
}
