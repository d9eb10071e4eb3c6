import { basename } from 'node:path';
import { stringify } from 'yaml';
import { isOfCluster } from '../../domain/secret.ts';
import type { AnySecret, ClusterSecret } from '../../domain/secret.ts';
import { engineOf } from '../../engines/registry.ts';
import type { World } from '../../io/world.ts';
import { objectName } from '../../kube/names.ts';
import { serviceName } from '../../targets/kubernetes/manifests.ts';
import type { KubernetesOptions } from '../../targets/kubernetes/options.ts';
import { fillDefaults } from '../file/defaults.ts';
import { priceOf } from '../file/price.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { fillSecrets } from '../file/secret-table.ts';
import { readSources } from '../file/sources.ts';
import { pieceAt, toPlain } from '../file/tree.ts';
import { launchSpecOf } from '../plan/launch-spec-of.ts';

/** The fleet as one file for a client of a benchmark that runs in a cluster, with what it needs beside it. */
export interface BenchFile {
  readonly text: string;
  readonly beside: Readonly<Record<string, string>>;
  readonly secrets: readonly { readonly file: string | null; readonly ref: ClusterSecret }[];
  /** Why a client there cannot work with it, as ends of a sentence. */
  readonly obstacles: readonly string[];
}

const secretFolder = '/run/secrets/berth';
const configFolder = '/etc/berth';
/** Those are said by the Job itself, or are of this machine. */
const outside = ['runsOn', 'image', 'results', 'schedule', 'price'];

/** The client there asks engines by the names of their Services, and knows nothing else of the fleet. */
export async function benchFile(
  world: World,
  loaded: LoadedFleet,
  { name, files, cwd }: { name: string; files: readonly string[]; cwd: string },
): Promise<BenchFile> {
  const benchmark = loaded.benchmarks[name];
  const { tree } = await readSources(world, { files, cwd });
  if (tree === null || !benchmark) return { text: '', beside: {}, secrets: [], obstacles: [] };
  const entry = toPlain(pieceAt(fillSecrets(fillDefaults(tree)), ['benchmarks', name]) ?? tree) as object;
  const of = typeof benchmark.of === 'string' ? [benchmark.of] : benchmark.of;
  const servers = of.map((one) => serverOf(loaded, one));
  const told = await Promise.all((benchmark.publish ?? []).map((one) => publisherOf(world, loaded, one)));
  const prices = of.flatMap((one) => {
    const price = priceOf(loaded, benchmark.price, { name: one, today: world.clock.wall() });
    return price ? [[priceHost(one), { price: { hour: price.usdPerHour } }] as const] : [];
  });
  const kept = Object.fromEntries(Object.entries(entry).filter(([key]) => !outside.includes(key)));
  const text = stringify(
    {
      version: 1,
      fleet: loaded.fleet,
      id: loaded.fleetId,
      hosts: { local: { local: true }, ...Object.fromEntries(prices) },
      deployments: Object.fromEntries(
        servers.map(({ name: server, engine }) => [
          server,
          { host: prices.length > 0 ? priceHost(server) : 'local', engine },
        ]),
      ),
      publishers: Object.fromEntries(told.map(({ name: own, options }) => [own, options])),
      benchmarks: { [name]: { ...kept, ...(prices.length > 0 ? { price: { from: 'host' } } : {}) } },
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
  const whole = told.filter(({ secret }) => secret?.file === null);
  return {
    text,
    beside: Object.assign({}, ...told.map(({ beside }) => beside)) as Record<string, string>,
    secrets: told.flatMap(({ secret }) => secret ?? []),
    obstacles: [
      ...servers.flatMap(({ obstacle }) => obstacle ?? []),
      ...told.flatMap(({ obstacle }) => obstacle ?? []),
      ...(whole.length > 1 ? [`${whole.map((one) => one.name).join(' and ')} want the same variables`] : []),
      ...dataObstacles(benchmark.data),
    ],
  };
}

/** Replicas of several prices are servers of several hosts; a name has 63 characters at most. */
function priceHost(server: string): string {
  return `price-of-${server}`.slice(0, 63).replace(/[^a-z0-9]+$/, '');
}

function dataObstacles(data: object | undefined): string[] {
  const file: unknown = Reflect.get(data ?? {}, 'file') ?? Reflect.get(data ?? {}, 'path');
  return typeof file === 'string' ? [`its prompts are a file of this machine, ${basename(file)}`] : [];
}

interface Server {
  readonly name: string;
  readonly engine: object;
  readonly obstacle: string | null;
}

function serverOf({ deployments, hosts }: LoadedFleet, name: string): Server {
  const deployment = deployments.find((one) => one.name === name);
  const namespace = deployment && hosts[deployment.host]?.kubernetes?.namespace;
  if (!deployment || namespace === undefined)
    return { name, engine: {}, obstacle: `${name} runs in no cluster` };
  const { engine, port, ownKey, target } = deployment;
  if (engineOf(engine.kind).external || ownKey)
    return {
      name,
      engine: {},
      obstacle: `${name} asks for a key of this machine, or is no engine of the cluster`,
    };
  const byKserve = target.kind === 'kserve';
  const service = `${serviceOf(name, target)}.${namespace}.svc`;
  return {
    name,
    engine: {
      kind: 'openai',
      url: byKserve ? `http://${service}` : `http://${service}:${port ?? 0}`,
      ...servedModelOf(deployment),
    },
    obstacle:
      byKserve || port !== null ? null : `${name} has no port in the file, so that nobody knows it there`,
  };
}

function serviceOf(deployment: string, target: Deployment['target']): string {
  if (target.kind === 'kserve') return `${objectName(deployment, 0)}-predictor`;
  return serviceName({ deployment, replica: 0 }, target as unknown as KubernetesOptions);
}

function servedModelOf(deployment: Deployment): { servedModel?: string } {
  const spec = launchSpecOf(deployment, { cores: null, help: null, key: null });
  return spec?.servedModel ? { servedModel: spec.servedModel } : {};
}

interface Told {
  readonly name: string;
  readonly options: object;
  readonly beside: Readonly<Record<string, string>>;
  readonly secret: { readonly file: string | null; readonly ref: ClusterSecret } | null;
  readonly obstacle: string | null;
}

/** Authorities are no secret and go along; keys stay in the cluster. */
async function publisherOf(world: World, { publishers }: LoadedFleet, name: string): Promise<Told> {
  const stated = publishers[name] as Record<string, unknown>;
  const { secret, auth, caFile, ...options } = stated;
  const key = secret === undefined ? 'auth' : 'secret';
  const ref = (secret ?? auth) as AnySecret | undefined;
  const ca = typeof caFile === 'string' ? await world.files.read(caFile).catch(() => null) : null;
  const own = `ca-${name}.crt`;
  const trust = typeof caFile !== 'string' ? {} : { caFile: ca === null ? caFile : `${configFolder}/${own}` };
  const told = { name, beside: ca === null ? {} : { [own]: ca } };
  if (ref === undefined) return { ...told, options: { ...options, ...trust }, secret: null, obstacle: null };
  if (!isOfCluster(ref))
    return {
      ...told,
      options: {},
      secret: null,
      obstacle: `the keys of publisher ${name} lie on this machine; name a Secret of the cluster`,
    };
  const whole = ref.secretRef !== undefined && ref.secretRef.key === undefined;
  return {
    ...told,
    options: { ...options, ...trust, ...(whole ? {} : { [key]: `\${file:${secretFolder}/${name}}` }) },
    secret: { file: whole ? null : name, ref },
    obstacle: null,
  };
}
