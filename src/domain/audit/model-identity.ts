import { z } from 'zod';
import { flagValue } from '../command-line/flags.ts';
import type { KubeObject } from './kube-object.ts';
import type { ServerOfPod } from './server-port.ts';

const Stored = z.object({
  predictor: z.object({ model: z.object({ storageUri: z.string().nullish() }) }),
});

/**
 * Which model a server of a pod holds, so that two of one name are the same: a repository of the Hub, or a file with the volume it
 * lies on. Null where that does not show: what is fetched into a volume of the pod's own, or a name that a variable gives.
 */
export function modelIdentity(one: ServerOfPod): string | null {
  const { server, workload } = one;
  const stored = storageOf(workload.object);
  if (stored !== null) return stored.replace(/^hf:\/\//, '');
  const { model, command } = server;
  if (model === null || model === '' || model.includes('$')) return null;
  if (!isPath(model)) {
    const revision = flagValue(command, '--revision') ?? '';
    return workload.partial && !model.includes('/') ? null : `${model}${revision && `@${revision}`}`;
  }
  const place = placeOf(one, model);
  return place === null ? null : `${place} ${model}`;
}

function storageOf({ kind, spec }: KubeObject): string | null {
  if (kind !== 'InferenceService') return null;
  return Stored.safeParse(spec).data?.predictor.model.storageUri ?? null;
}

function isPath(model: string): boolean {
  return /^[/.~]/.test(model) || /\.gguf$/i.test(model);
}

/** What its file lies on: a claim, a folder of the node, or its image; null for all else. */
function placeOf({ container, workload: { pod, partial } }: ServerOfPod, path: string): string | null {
  const mounts = (container.volumeMounts ?? []).filter(({ mountPath }) => {
    const folder = mountPath.replace(/\/$/, '');
    return path === folder || path.startsWith(`${folder}/`);
  });
  const mount = mounts.toSorted((a, b) => b.mountPath.length - a.mountPath.length)[0];
  if (!mount) return partial || !path.startsWith('/') ? null : (container.image ?? null);
  if (mount.subPathExpr) return null;
  const volume = (pod.volumes ?? []).find(({ name }) => name === mount.name);
  const claim = volume?.persistentVolumeClaim?.claimName;
  const from = claim === undefined ? volume?.hostPath?.path : `claim ${claim}`;
  return from === undefined ? null : `${from}:${mount.subPath ?? ''} at ${mount.mountPath}`;
}
