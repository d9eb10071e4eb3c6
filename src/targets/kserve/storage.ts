import { posix } from 'node:path';
import type { Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { podFiller } from '../../kube/volumes.ts';

/** Where KServe puts what it fetches or mounts. */
const folder = '/mnt/models';
export const containerPort = 8080;

interface Storage {
  readonly uri: string;
  readonly path: string;
  /** In place of the URI, where the keys of its place are an entry of the namespace's Secret "storage-config". */
  readonly key: { key: string; path: string; parameters: { bucket: string } } | null;
}

const s3Form = /^s3:\/\/([^/]+)\/?(.*)$/;

/** Where KServe takes the model from, and what the engine opens then; null: the engine fetches it itself, or needs none. */
export function storageOf({ model, modelSecret }: LaunchSpec): Storage | null {
  if (model === null) return null;
  const [, bucket, inside = ''] = s3Form.exec(model) ?? [];
  const named = modelSecret && 'secretRef' in modelSecret ? modelSecret.secretRef?.name : undefined;
  if (bucket !== undefined && named !== undefined)
    return { uri: model, path: folder, key: { key: named, path: inside, parameters: { bucket } } };
  return plainStorage(model);
}

/** Why KServe cannot have the keys of the model's place; null: it can, or needs none. */
export function storageRefusal({ model, modelSecret }: LaunchSpec): string | null {
  if (model === null || !modelSecret || ('secretRef' in modelSecret && s3Form.test(model))) return null;
  return `KServe fetches ${model} with keys that the cluster has: name its Secret as secretRef, without a key`;
}

function plainStorage(model: string): Storage {
  const claim = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(model);
  if (!claim) return { uri: model, path: folder, key: null };
  const [, name = '', inside = ''] = claim;
  // A file is opened in its folder, since the folder is what is mounted.
  const isFile = /\.gguf$/i.test(inside);
  const mounted = isFile ? posix.dirname(inside) : inside;
  const uri = `pvc://${name}/${mounted === '.' ? '' : mounted}`;
  return { uri, path: isFile ? posix.join(folder, posix.basename(inside)) : folder, key: null };
}

/** KServe owns the port and the place of the model; all else is as in any pod. */
export function fillerOf(spec: LaunchSpec): (hole: Hole) => string {
  const usual = podFiller(spec, containerPort);
  return (hole) => (hole.hole === 'model' ? (storageOf(spec)?.path ?? '') : usual(hole));
}
