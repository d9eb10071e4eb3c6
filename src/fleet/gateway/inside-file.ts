import { stringify } from 'yaml';
import type { InsideFile } from '../../domain/cluster-gateway.ts';
import type { World } from '../../io/world.ts';
import { fillDefaults } from '../file/defaults.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { referenceOf, secretPlaces } from '../file/secret-places.ts';
import { fillSecrets } from '../file/secret-table.ts';
import { readSources } from '../file/sources.ts';
import { pieceAt, toPlain } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** What a gateway needs of the fleet: no benchmark, no console, no key with which a model is fetched. Secrets stay references. */
export async function insideFile(
  world: World,
  loaded: LoadedFleet,
  options: { files: readonly string[]; cwd: string },
): Promise<InsideFile> {
  const { tree } = await readSources(world, options);
  if (tree === null) return { text: '', variables: [], obstacles: [] };
  return insideOf(fillSecrets(fillDefaults(tree)), loaded);
}

/** The same of files that have been read: with defaults and the table of secrets filled in. Pure. */
export function insideOf(filled: Located, loaded: LoadedFleet): InsideFile {
  const places = secretPlaces(filled).filter(({ path }) => path[0] !== 'models' && path[0] !== 'publishers');
  const files = places.flatMap(({ piece }) => referenceOf(piece, 'file') ?? []);
  const keys = places.some(({ path }) => path[1] === 'keys');
  const plain = toPlain(filled) as Record<string, unknown>;
  const { version, hosts, deployments, experiments } = plain;
  const text = stringify(
    {
      version,
      fleet: loaded.fleet,
      id: loaded.fleetId,
      ...(hosts === undefined ? {} : { hosts }),
      ...(plain['models'] === undefined ? {} : { models: withoutSecrets(plain['models']) }),
      deployments: deployments ?? {},
      gateway: { ...withoutPlace(plain['gateway']), listen: [`0.0.0.0:${insidePort(loaded)}`] },
      ...(experiments === undefined ? {} : { experiments }),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  return {
    text,
    variables: [...new Set(places.flatMap(({ piece }) => referenceOf(piece, 'env') ?? []))].toSorted(),
    obstacles: [
      ...(files.length > 0 ? [`the secret in ${files[0]} is a file of this machine; name a variable`] : []),
      ...(pieceAt(filled, ['gateway', 'tls']) ? ['its certificate is a file of this machine'] : []),
      ...(keys || loaded.gateway.allowAnonymous
        ? []
        : ['gateway.keys names no key, and anybody there could use it']),
      ...loaded.deployments
        .filter(({ ownKey }) => ownKey)
        .map(({ name }) => `${name} has a key of its own, which only the berth that made it knows`),
    ],
  };
}

/** The port of its pods: that of the file's first door. */
export function insidePort({ gateway }: LoadedFleet): number {
  return gateway.listen[0]?.port || 8484;
}

/** Where it runs is nothing to those who run there. */
function withoutPlace(gateway: unknown): object {
  const {
    host: _host,
    replicas: _replicas,
    image: _image,
    ...rest
  } = (gateway ?? {}) as Record<string, unknown>;
  return rest;
}

function withoutSecrets(models: unknown): unknown {
  return Object.fromEntries(
    Object.entries(models as Record<string, object>).map(([name, model]) => [
      name,
      Object.fromEntries(Object.entries(model).filter(([key]) => key !== 'secret')),
    ]),
  );
}
