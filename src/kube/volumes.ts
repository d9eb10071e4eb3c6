import { basename, dirname, posix } from 'node:path';
import { filler, filesNamed } from '../domain/fill-args.ts';
import { givenIn } from '../domain/given-files.ts';
import type { Hole, LaunchSpec } from '../domain/launch-spec.ts';
import { isOfCluster, isOfHere } from '../domain/secret.ts';
import type { ClusterSecret, EngineSecret } from '../domain/secret.ts';
import { isOneOfSeveral } from '../domain/split-files.ts';

/** One volume of a pod and where the container sees it. */
export interface Mounted {
  readonly volume: { readonly name: string; readonly [source: string]: unknown };
  readonly at: string;
  readonly readOnly: boolean;
  readonly subPath?: string;
}

/** Names of objects that volumes refer to. */
export interface VolumeNames {
  /** Secret with the engine's secrets. */
  readonly secret: string;
  /** ConfigMap with the files of the user that it is given; null: none. */
  readonly files: string | null;
  /** Claim for what the engine keeps; null: it is lost with the pod. */
  readonly cache: string | null;
}

const claimAddress = /^pvc:\/\/([^/]+)\/?(.*)$/;

/** Path of a model, or its projector, in the container. */
export function modelPath(path: string, folder: string): string {
  const claim = claimAddress.exec(path);
  return claim ? posix.join(folder, claim[2] ?? '') : posix.join(folder, basename(path));
}

function modelVolume(name: string, path: string, folder: string): Mounted {
  const claim = claimAddress.exec(path);
  if (claim)
    return {
      volume: { name, persistentVolumeClaim: { claimName: claim[1], readOnly: true } },
      at: folder,
      readOnly: true,
    };
  if (isOneOfSeveral(path))
    return { volume: hostVolume(name, dirname(path), 'Directory'), at: folder, readOnly: true };
  return { volume: hostVolume(name, path, typeOf(path)), at: modelPath(path, folder), readOnly: true };
}

function hostVolume(name: string, path: string, type: string): Mounted['volume'] {
  return { name, hostPath: { path, type } };
}

/** Only of a model it is known what it is; of others the node looks. */
function typeOf(path: string): string {
  return /\.gguf$/i.test(path) ? 'File' : '';
}

/** All that a pod mounts for this spec. Pure. */
export function volumesOf(spec: LaunchSpec, names: VolumeNames, shmBytes: number | null): Mounted[] {
  const keeps = [...spec.writable, ...Object.keys(spec.caches ?? {})];
  const kept = names.cache
    ? { name: 'cache', persistentVolumeClaim: { claimName: names.cache } }
    : { name: 'cache', emptyDir: {} };
  return [
    ...(spec.model === null ? [] : [modelVolume('model', spec.model, '/models')]),
    ...(spec.mmproj === null ? [] : [modelVolume('mmproj', spec.mmproj, '/mmproj')]),
    ...filesNamed(spec).map((path, at): Mounted => ({
      volume: hostVolume(`file-${at}`, path, ''),
      at: path,
      readOnly: true,
    })),
    ...(filesOf(spec).length === 0
      ? []
      : [{ volume: secretVolume(spec, names), at: secretFolder, readOnly: true }]),
    ...keeps.map((name): Mounted => ({ volume: kept, at: keptPath(name), readOnly: false, subPath: name })),
    ...(shmBytes === null
      ? []
      : [
          {
            volume: { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: String(shmBytes) } },
            at: '/dev/shm',
            readOnly: false,
          },
        ]),
    { volume: { name: 'tmp', emptyDir: {} }, at: '/tmp', readOnly: false },
  ];
}

/** Those that reach the engine as files, not as variables. */
function filesOf({ secrets, secretEnv = {} }: LaunchSpec): [string, EngineSecret][] {
  const variables = Object.values(secretEnv);
  return Object.entries(secrets).filter(([name]) => !variables.includes(name));
}

/** Each secret is a file of its name, wherever the cluster has it: files are renewed, and show in no list of variables. */
function secretVolume(spec: LaunchSpec, names: VolumeNames): Mounted['volume'] {
  const refs = filesOf(spec);
  // What is no secret may be read by any user of the image.
  const items = Object.keys(givenIn(spec)).map((key) => ({ key, path: key, mode: 0o444 }));
  const given = names.files === null ? [] : [{ configMap: { name: names.files, items } }];
  const there = refs.flatMap(([name, ref]) => (isOfCluster(ref) ? [projected(name, ref)] : []));
  if (there.length + given.length === 0)
    return { name: 'secrets', secret: { secretName: names.secret, defaultMode: 0o440 } };
  const own = refs.some(([, ref]) => isOfHere(ref)) ? [{ secret: { name: names.secret } }] : [];
  return { name: 'secrets', projected: { defaultMode: 0o440, sources: [...own, ...there, ...given] } };
}

function projected(path: string, { secretRef }: ClusterSecret): Record<string, unknown> {
  return secretRef
    ? { secret: { name: secretRef.name, items: [{ key: secretRef.key ?? '', path }] } }
    : { serviceAccountToken: { path, expirationSeconds: 3600 } };
}

const secretFolder = '/run/secrets/berth';

function keptPath(name: string): string {
  return `/var/lib/berth/${name}`;
}

/** Variables that put what a program keeps at home where a volume is. */
export function cacheVariables(spec: LaunchSpec): [string, string][] {
  return Object.entries(spec.caches ?? {}).map(([name, { env }]) => [env, keptPath(name)]);
}

/** What only the cluster's side knows of a command line. A pod has an address of its own, so it listens on all of its. */
export function podFiller(spec: LaunchSpec, port: number): (hole: Hole) => string {
  return filler({
    model: spec.model === null ? '' : modelPath(spec.model, '/models'),
    mmproj: spec.mmproj === null ? '' : modelPath(spec.mmproj, '/mmproj'),
    host: '0.0.0.0',
    port,
    secret: (key) => posix.join(secretFolder, key),
    cache: keptPath,
  });
}
