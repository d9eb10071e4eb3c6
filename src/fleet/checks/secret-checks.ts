import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import type { World } from '../../io/world.ts';
import type { DotEnv } from '../file/dot-env.ts';
import { fault } from '../file/fault.ts';
import { hostOf, isCluster } from './port-checks.ts';
import { fetchesIn, gatewaySecretPlaces, referenceOf, secretPlaces } from '../file/secret-places.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** A secret that is not there is told before anything starts; its value is never looked at. */
export async function secretFaults(
  world: World,
  tree: Located,
  dotEnv: DotEnv | null,
): Promise<ConfigFault[]> {
  const faults = await Promise.all(secretPlaces(tree).map(({ piece }) => secretFault(world, piece, dotEnv)));
  return faults.flatMap((one) => one ?? []);
}

async function secretFault(world: World, piece: Located, dotEnv: DotEnv | null): Promise<ConfigFault | null> {
  const name = referenceOf(piece, 'env');
  if (name !== null && !world.env[name] && !dotEnv?.names.has(name))
    return fault(
      piece,
      piece.at,
      `The environment variable ${name} is not set${dotEnv ? `, nor is it in ${dotEnv.path}` : ''}.`,
      dotEnv ? `Set ${name} there, or before you run berth.` : `Set ${name} before you run berth.`,
    );
  const path = referenceOf(piece, 'file');
  const reason = path === null ? null : await fileReason(world, path);
  return reason === null
    ? null
    : fault(piece, piece.at, reason, 'Write the secret into it, or name another file.');
}

/** What is wrong with the file of a secret; null when something stands in it. */
async function fileReason(world: World, path: string): Promise<string | null> {
  try {
    const found = await world.files.stat(path);
    if (!found) return `There is no file ${path}.`;
    if (!found.isFile) return `${path} is not a file.`;
    return found.size === 0 ? `The file ${path} is empty.` : null;
  } catch (error) {
    return `${path} cannot be looked at (${(error as NodeJS.ErrnoException).code ?? 'unknown'}).`;
  }
}

/** A Secret of a cluster where a machine would have to read it, or all of one where a single value is wanted. */
export function clusterSecretFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['models']).flatMap(([name, model]) => {
    const piece = pieceAt(model, ['secret']);
    if (piece?.content.kind !== 'map') return [];
    const users = entriesAt(tree, ['deployments']).filter(([, one]) => scalarAt(one, ['model']) === name);
    const machine = users.map(([, one]) => hostOf(tree, one)).find((host) => !isCluster(tree, host));
    if (machine !== undefined)
      return [
        fault(
          piece,
          piece.at,
          `A Secret of a cluster is given to its pods alone, and host ${machine} is a machine.`,
          'Write "${env:NAME}" or "${file:PATH}", or name a host that is a cluster.',
        ),
      ];
    const source = scalarAt(model, ['source']);
    const whole = pieceAt(piece, ['secretRef']) !== null && pieceAt(piece, ['secretRef', 'key']) === null;
    if (!whole || typeof source !== 'string' || source.startsWith('s3://')) return [];
    return [
      fault(
        piece,
        piece.at,
        'This is all of a Secret, and one of its values is wanted.',
        'Name its key: {secretRef: {name: NAME, key: KEY}}.',
      ),
    ];
  });
}

/** A gateway in a cluster is given one value of a Secret there; one on a machine cannot have it. */
export function gatewaySecretFaults(tree: Located): ConfigFault[] {
  const inCluster = pieceAt(tree, ['gateway', 'host']) !== null;
  return gatewaySecretPlaces(tree).flatMap(({ piece }) => {
    if (piece.content.kind !== 'map') return [];
    if (!inCluster)
      return [
        fault(
          piece,
          piece.at,
          'A Secret of a cluster is given to its pods alone, and the gateway runs on this machine.',
          'Write "${env:NAME}" or "${file:PATH}", or name a cluster as gateway.host.',
        ),
      ];
    if (pieceAt(piece, ['secretRef', 'key']) !== null) return [];
    return [
      fault(
        piece,
        piece.at,
        'The gateway wants one value of a Secret.',
        'Name it: {secretRef: {name: NAME, key: KEY}}.',
      ),
    ];
  });
}

/** A reference where nothing fills it in would reach the engine as it is written, and be taken for the secret. */
export function misplacedSecrets(tree: Located): ConfigFault[] {
  const pieces = entriesAt(tree, ['deployments']).flatMap(([, deployment]) => [
    ...entriesAt(deployment, ['engine']).flatMap(([key, piece]) => {
      if (key === 'env')
        return entriesAt(deployment, ['engine', 'env'])
          .map(([, value]) => value)
          .filter(isText);
      return key === 'key' ? [] : [piece];
    }),
    ...entriesAt(deployment, ['target']).map(([, piece]) => piece),
  ]);
  const ofJobs = fetchesIn(tree).flatMap((fetch) => misplacedIn(fetch, inJob));
  return [...pieces.flatMap((piece) => misplacedIn(piece)), ...ofJobs];
}

const inJob = 'Put it into a Secret of the cluster, and write the name of that as fetch.secret.';

/** Else it says where a secret lies. */
function isText({ content }: Located): boolean {
  return content.kind === 'scalar';
}

function misplacedIn(piece: Located, cure = inEngineOrTarget): ConfigFault[] {
  const { content } = piece;
  if (content.kind === 'map') return [...content.entries.values()].flatMap((one) => misplacedIn(one, cure));
  if (content.kind === 'list') return content.items.flatMap((one) => misplacedIn(one, cure));
  const { value } = content;
  if (typeof value !== 'string') return [];
  if (!/\$\{env:[A-Za-z_]\w*\}/.test(value) && referenceOf(piece, 'file') === null) return [];
  return [fault(piece, piece.at, 'No secret is filled in here.', cure)];
}

const inEngineOrTarget =
  'In a cluster write {secret: …} as a variable of "env". Else have the program read a file, or a variable of the shell that runs berth: an engine inherits those that the file does not name.';
