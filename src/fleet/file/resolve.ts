import { createHash } from 'node:crypto';
import { basename, dirname, join, relative } from 'node:path';
import type { InsideFile } from '../../domain/cluster-gateway.ts';
import { Name } from '../../domain/fleet.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import type { Console, Host } from '../../domain/fleet.ts';
import { ofHere } from '../../domain/given-files.ts';
import { isAddress } from '../../domain/model-source.ts';
import type { MemoryNeed } from '../../domain/on-demand.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Resources } from '../../domain/resources.ts';
import { secretTitle } from '../../domain/secret.ts';
import type { AnySecret } from '../../domain/secret.ts';
import type { InstanceLimits } from '../../domain/instance-limits.ts';
import type { FleetFile } from '../../fleet-schema.ts';
import type { KindOptions } from '../../lean-fleet-schema.ts';
import { targetOf } from '../../targets/registry.ts';
import type { FleetIdentity } from './paths.ts';
import { hostOf } from '../checks/port-checks.ts';
import { isGivenPlace } from './file-paths.ts';
import { fetchedInto, projectorIn } from './fetched-into.ts';
import { secretVariables } from './secret-places.ts';
import type { WrittenGateway } from './written-gateway.ts';
import type { SourceFile, Sources } from './sources.ts';
import { pieceAt, scalarAt, toPlain } from './tree.ts';
import type { Located } from './tree.ts';

/** A deployment with everything that the file says elsewhere about it. */
export interface Deployment {
  readonly name: string;
  readonly host: string;
  readonly model: {
    readonly name: string;
    readonly path: string;
    readonly mmproj: string | null;
    /** The one node of a cluster that has it. */
    readonly node?: string | undefined;
    /** How it comes into a claim of a cluster. */
    readonly fetched?: LaunchSpec['fetched'];
    readonly secret?: AnySecret | null;
    /** Bytes of its files, as the file says. */
    readonly size?: number | undefined;
  } | null;
  readonly engine: KindOptions;
  readonly target: KindOptions;
  /** Pinned; null takes one from the host's pool. */
  readonly port: number | null;
  readonly replicas: number;
  readonly gpus: number;
  /** CPU and memory of each replica; null: nothing is said. */
  readonly resources: Resources | null;
  /** How the gateway chooses among its replicas; null: its usual way. */
  readonly policy: KindOptions | null;
  /** Null for one that always runs. */
  readonly onDemand: {
    /** Unloaded after so long without a request; 0: never for that alone. */
    readonly ttlMs: number;
    /** Bytes that each replica needs, where the file says so. */
    readonly memory: MemoryNeed | null;
  } | null;
  /** Since when it stands still, where somebody stopped it by hand. */
  readonly atRest?: string;
  /** What bounds each instance, beside its slots. */
  readonly limits: InstanceLimits | null;
  /** Its engines ask for a key that berth makes. */
  readonly ownKey: boolean;
  /** No plan ends its engines unless it is named. */
  readonly protect: boolean;
  /** Milliseconds of silence after which it is restarted; 0: never. */
  readonly hungAfter: number;
  /** How far the gateway still reads for a client that has left; null cuts the request off. */
  readonly onClientAbort: { readonly bytes: number; readonly ms: number } | null;
  /** What the user states and a running engine depends on, flat: "engine.slots", "model", "gpus". Berth's own defaults are not in it. */
  readonly declared: Readonly<Record<string, unknown>>;
}

/** A fleet as its files say it, checked, with absolute paths. */
export interface LoadedFleet {
  readonly fleet: string;
  /** Tells fleets of one name apart: the file's `id`, else one made from where the file lies. */
  readonly fleetId: string;
  readonly files: readonly SourceFile[];
  readonly hosts: Readonly<Record<string, Host>>;
  readonly models: FleetFile['models'];
  readonly deployments: readonly Deployment[];
  readonly gateway: FleetFile['gateway'];
  readonly console: Console;
  readonly benchmarks: FleetFile['benchmarks'];
  readonly publishers: FleetFile['publishers'];
  readonly experiments: FleetFile['experiments'];
  readonly audit: FleetFile['audit'];
  /** Names of the environment variables that hold its secrets: no engine inherits them. */
  readonly withheld: readonly string[];
  /** What the gateway takes of the files, as they say it; secrets are references there. */
  readonly written: WrittenGateway;
  /** What is not wrong with its files but worth knowing; a plan tells it too. */
  readonly warnings: readonly Finding[];
  /** What a gateway in a cluster is given of it; absent where none is wanted. */
  readonly inside?: InsideFile;
}

export function resolveFleet(file: FleetFile, tree: Located, sources: Sources): Omit<LoadedFleet, 'written'> {
  const hosts = Object.keys(file.hosts).length > 0 ? file.hosts : {};
  return {
    fleet: file.fleet,
    fleetId: file.id ?? idOfPlace(sources.main),
    files: sources.files,
    hosts: { local: { become: 'none', reserve: [] }, ...hosts },
    models: file.models,
    deployments: Object.entries(file.deployments).map(([name, entry]) => {
      const piece = pieceAt(tree, ['deployments', name]) as Located;
      const model = entry.model === undefined ? undefined : file.models[entry.model];
      return {
        name,
        host: hostOf(tree, piece),
        model:
          model && entry.model !== undefined
            ? {
                name: entry.model,
                ...placeOfModel(model, hostOf(tree, piece), file, tree),
                secret: model.secret ?? null,
                size: model.size,
              }
            : null,
        engine: entry.engine,
        target: entry.target ?? usualTarget(hosts[hostOf(tree, piece)]),
        port: entry.port ?? null,
        replicas: entry.replicas,
        gpus: entry.gpus,
        resources: entry.resources ?? null,
        policy: entry.policy ?? null,
        onDemand: entry.load === 'always' ? null : { ttlMs: entry.ttl, memory: memoryOf(entry) },
        onClientAbort: entry.onClientAbort,
        limits: entry.limits ?? null,
        ownKey: entry.ownKey,
        protect: entry.protect,
        hungAfter: entry.hungAfter,
        declared: declaredOf(piece, model, dirname(sources.main)),
      };
    }),
    gateway: file.gateway,
    console: file.console,
    benchmarks: file.benchmarks,
    publishers: file.publishers,
    experiments: file.experiments,
    audit: file.audit,
    withheld: secretVariables(tree),
    warnings: [],
  };
}

/** Where nothing is said, as the host can. */
function usualTarget(host: Host | undefined): KindOptions {
  if (!host?.kubernetes) return { kind: 'process' };
  const { options } = targetOf('kubernetes');
  return options.parse({ kind: 'kubernetes' });
}

/** Where the files of a model lie on a host: as its source says, or in that cluster's own place. */
function placeOfModel(
  { source, mmproj, at }: FleetFile['models'][string],
  host: string,
  file: FleetFile,
  tree: Located,
): Omit<NonNullable<Deployment['model']>, 'name' | 'secret'> {
  const place = at[host];
  if (!place) return { path: source, mmproj: mmproj ?? null };
  function inPlace(file: string): string {
    return place && 'hostPath' in place ? join(place.hostPath, basename(file)) : `${claim}/${basename(file)}`;
  }
  const claim = 'pvc' in place ? `pvc://${place.pvc}` : '';
  const fetched = 'pvc' in place ? projectorIn(place, mmproj) : null;
  const projector = mmproj === undefined ? null : fetched === null ? inPlace(mmproj) : `${claim}/${fetched}`;
  if ('hostPath' in place) {
    const path =
      place.path !== undefined
        ? join(place.hostPath, place.path)
        : isAddress(source)
          ? place.hostPath
          : inPlace(source);
    return { path, mmproj: projector, node: place.node };
  }
  const path =
    place.path !== undefined ? `${claim}/${place.path}` : isAddress(source) ? claim : inPlace(source);
  if (!place.fetch) return { path, mmproj: projector };
  const { image } = file.gateway;
  const pullSecrets = pullSecretsOf(file, tree, { host, claim: place.pvc });
  const anyUser = file.hosts[host]?.kubernetes?.openshift === true;
  const how = { image, pullSecrets, anyUser };
  return { path, mmproj: projector, fetched: fetchedInto(place, { source, mmproj }, how) };
}

/** Those of all deployments that use the claim: what fills it is of none of them alone. */
function pullSecretsOf(
  file: FleetFile,
  tree: Located,
  { host, claim }: { host: string; claim: string },
): string[] {
  const found = Object.entries(file.deployments).flatMap(([name, { model, target }]) => {
    const place = file.models[model ?? '']?.at[host];
    const isOfClaim = place && 'pvc' in place && place.pvc === claim;
    if (!isOfClaim || hostOf(tree, pieceAt(tree, ['deployments', name]) as Located) !== host) return [];
    return (target as { pullSecrets?: readonly string[] } | undefined)?.pullSecrets ?? [];
  });
  return [...new Set(found)].toSorted();
}

/** Which fleet the file is of; null when it does not tell, or not well. */
export function identityOf(tree: Located, main: string): FleetIdentity | null {
  const fleet = Name.safeParse(scalarAt(tree, ['fleet'])).data;
  const id = Name.optional().safeParse(scalarAt(tree, ['id']));
  if (fleet === undefined || !id.success) return null;
  return { fleet, fleetId: id.data ?? idOfPlace(main) };
}

/** A plain size is the memory that it computes in. */
function memoryOf({ memory, gpus }: FleetFile['deployments'][string]): MemoryNeed | null {
  if (memory === undefined) return null;
  if (typeof memory !== 'number') return { host: memory.host ?? 0, gpu: memory.gpu ?? 0 };
  return gpus > 0 ? { host: 0, gpu: memory } : { host: memory, gpu: 0 };
}

/** Two clones of one repository on one machine, or two users' copies of an example, are two fleets. */
function idOfPlace(place: string): string {
  return `at-${createHash('sha256').update(place).digest('hex').slice(0, 12)}`;
}

function declaredOf(
  piece: Located,
  model: Pick<FleetFile['models'][string], 'source' | 'mmproj' | 'secret'> | undefined,
  folder: string,
): Record<string, unknown> {
  const declared: Record<string, unknown> = {};
  for (const part of ['engine', 'target', 'gpus', 'resources', 'ownKey', 'protect'])
    flatten(part, pieceAt(piece, [part]), declared);
  for (const [key, value] of Object.entries(declared))
    if (isGivenPlace(`deployments.NAME.${key}`) && typeof value === 'string' && value.startsWith(ofHere))
      declared[key] = `./${relative(folder, value.slice(ofHere.length))}`;
  if (model) declared['model'] = model.source;
  if (model?.mmproj) declared['mmproj'] = model.mmproj;
  if (model?.secret) declared['secret'] = secretTitle(model.secret);
  return declared;
}

/** Lists stay whole: "engine.args" is one thing to a user. */
function flatten(name: string, piece: Located | null, into: Record<string, unknown>): void {
  if (piece === null) return;
  if (piece.content.kind !== 'map') into[name] = toPlain(piece);
  else for (const [key, below] of piece.content.entries) flatten(`${name}.${key}`, below, into);
}
