import { posix } from 'node:path';
import type { Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { podFiller } from '../../kube/volumes.ts';

/** Where KServe puts what it fetches or mounts. */
const folder = '/mnt/models';
export const containerPort = 8080;

/** Where KServe takes the model from, and what the engine opens then; null: the engine fetches it itself, or needs none. */
export function storageOf({ model }: LaunchSpec): { uri: string; path: string } | null {
  if (model === null) return null;
  const claim = /^pvc:\/\/([^/]+)\/?(.*)$/.exec(model);
  if (!claim) return { uri: model, path: folder };
  const [, name = '', inside = ''] = claim;
  // A file is opened in its folder, since the folder is what is mounted.
  const isFile = /\.gguf$/i.test(inside);
  const mounted = isFile ? posix.dirname(inside) : inside;
  const uri = `pvc://${name}/${mounted === '.' ? '' : mounted}`;
  return { uri, path: isFile ? posix.join(folder, posix.basename(inside)) : folder };
}

/** KServe owns the port and the place of the model; all else is as in any pod. */
export function fillerOf(spec: LaunchSpec): (hole: Hole) => string {
  const usual = podFiller(spec, containerPort);
  return (hole) => (hole.hole === 'model' ? (storageOf(spec)?.path ?? '') : usual(hole));
}
