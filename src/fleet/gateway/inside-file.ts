import { stringify } from 'yaml';
import { gatewaySecretsFolder, gatewayTlsFolder } from '../../domain/cluster-gateway.ts';
import type { InsideFile } from '../../domain/cluster-gateway.ts';
import { ClusterSecret, variableOfSecret } from '../../domain/secret.ts';
import type { SecretRef } from '../../domain/secret.ts';
import type { World } from '../../io/world.ts';
import { fillDefaults } from '../file/defaults.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import { gatewaySecretPlaces, referenceOf } from '../file/secret-places.ts';
import { fillSecrets, replacedAt } from '../file/secret-table.ts';
import { readSources } from '../file/sources.ts';
import { toPlain } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { fileKeys } from './file-keys.ts';

/** What a gateway needs of the fleet: no benchmark, no console, no key with which a model is fetched. Secrets stay references. */
export async function insideFile(
  world: World,
  loaded: LoadedFleet,
  options: { files: readonly string[]; cwd: string },
): Promise<InsideFile> {
  const { tree } = await readSources(world, options);
  if (tree === null) return { text: '', secrets: {}, obstacles: [] };
  return insideOf(fillSecrets(fillDefaults(tree)), loaded);
}

/** The same of files that have been read: with defaults and the table of secrets filled in. Pure. */
export function insideOf(written: Located, loaded: LoadedFleet): InsideFile {
  const read = secretsOf(written);
  const filled = withFiles(written, read);
  const plain = toPlain(filled) as Record<string, unknown>;
  const { version, hosts, deployments, experiments } = plain;
  const text = stringify(
    {
      version,
      fleet: loaded.fleet,
      id: loaded.fleetId,
      ...(hosts === undefined ? {} : { hosts }),
      ...(plain['models'] === undefined ? {} : { models: mapped(plain['models'], withoutSecret) }),
      deployments: mapped(deployments, withoutSecretEnv),
      gateway: { ...withoutPlace(plain['gateway']), listen: [`0.0.0.0:${insidePort(loaded)}`] },
      ...(experiments === undefined ? {} : { experiments }),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  const keys = read.some(({ path }) => path[1] === 'keys' || path[1] === 'masterKey');
  return {
    text,
    secrets: Object.fromEntries(read.map(({ name, ref }) => [name, asLoaded(ref, loaded)])),
    obstacles: [
      ...tlsObstacles(loaded),
      ...(keys || loaded.gateway.allowAnonymous
        ? []
        : ['gateway.keys names no key, and anybody there could use it']),
    ],
  };
}

function tlsObstacles({ gateway: { tls } }: LoadedFleet): string[] {
  if (!tls) return [];
  return [
    ...(tls.secret === undefined
      ? ['its certificate is a file of this machine, and gateway.tls.secret names none there']
      : []),
    ...(tls.clientCa === undefined
      ? []
      : [
          'gateway.tls.clientCa wants a certificate of everybody, and who looks whether its pods serve has none',
        ]),
  ];
}

interface ReadSecret {
  readonly path: readonly string[];
  readonly piece: Located;
  /** Of its file there: that of the variable which has it here, else its place in the fleet file. */
  readonly name: string;
  readonly ref: SecretRef;
}

function secretsOf(tree: Located): ReadSecret[] {
  const found = gatewaySecretPlaces(tree).flatMap(({ path, piece }): ReadSecret[] => {
    const env = referenceOf(piece, 'env');
    if (env !== null) return [{ path, piece, name: env, ref: { env } }];
    const name = path.join('.');
    const file = referenceOf(piece, 'file');
    if (file !== null) return [{ path, piece, name, ref: { file } }];
    const cluster = ClusterSecret.safeParse(toPlain(piece)).data;
    // An address without a password is no secret.
    return cluster ? [{ path, piece, name, ref: variableOfSecret(cluster) }] : [];
  });
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function withFiles(tree: Located, secrets: readonly ReadSecret[]): Located {
  return secrets.reduce((filled, { path, piece, name }) => {
    const value = `\${file:${gatewaySecretsFolder}/${name}}`;
    return replacedAt(filled, path, { ...piece, content: { kind: 'scalar', value } });
  }, tree);
}

/** A variable may lie in the file beside the fleet's as well, which the loader knows. */
function asLoaded(ref: SecretRef, { gateway, deployments }: LoadedFleet): SecretRef {
  if (!('env' in ref)) return ref;
  const { shared } = gateway.limits;
  const all = [
    ...Object.values(fileKeys(gateway)),
    ...(shared && !('url' in shared) ? [shared] : []),
    ...deployments.flatMap(({ engine }) => (engine['key'] as SecretRef | undefined) ?? []),
  ];
  return all.find((one) => 'env' in one && one.env === ref.env) ?? ref;
}

/** The port of its pods: that of the file's first door. */
export function insidePort({ gateway }: LoadedFleet): number {
  return gateway.listen[0]?.port || 8484;
}

/** Where it runs is nothing to those who run there, and its certificate lies in its own place. */
function withoutPlace(gateway: unknown): object {
  const {
    host: _host,
    replicas: _replicas,
    image: _image,
    tls,
    ...rest
  } = (gateway ?? {}) as Record<string, unknown>;
  return tls === undefined
    ? rest
    : { ...rest, tls: { cert: `${gatewayTlsFolder}/tls.crt`, key: `${gatewayTlsFolder}/tls.key` } };
}

/** What engines alone are given is nothing to the gateway. */
function withoutSecretEnv(deployment: Record<string, unknown>): object {
  const engine = (deployment['engine'] ?? {}) as Record<string, unknown>;
  if (engine['env'] === undefined) return deployment;
  const plain = Object.entries(engine['env'] as object).filter(([, value]) => typeof value !== 'object');
  return { ...deployment, engine: { ...engine, env: Object.fromEntries(plain) } };
}

function withoutSecret({ secret: _secret, ...model }: Record<string, unknown>): object {
  return model;
}

function mapped(all: unknown, change: (one: Record<string, unknown>) => object): object {
  return Object.fromEntries(
    Object.entries((all ?? {}) as Record<string, Record<string, unknown>>).map(([name, one]) => [
      name,
      change(one),
    ]),
  );
}
