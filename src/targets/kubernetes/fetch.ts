import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress, shownSource } from '../../domain/model-source.ts';
import { fetchLabel } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';
import { fetchSpec, waitingContainer } from './fetch-job.ts';
import { hashOf } from './fetch-pieces.ts';
import type { Fetched } from './fetch-pieces.ts';

/** Of a deployment, what fetches its model. */
export interface Fetching {
  readonly replica: number;
  readonly spec: LaunchSpec;
  readonly metaOf: (name: string) => KubeObject['metadata'];
}

/** Why it cannot be fetched; null when it can, or nobody fetches it. */
export function fetchRefuses({ fetched }: LaunchSpec): string | null {
  if (!fetched) return null;
  const { from, pulledTo, also = [] } = fetched;
  const beside = also.flatMap((one) => besideRefuses(one, fetched) ?? []);
  if (beside[0] !== undefined) return beside[0];
  if (!isAddress(from)) return `${from} is a file of this machine, which no Job of a cluster can fetch`;
  const isQuant = /^hf:\/\/[^/]+\/[^/]+:/.test(from);
  if (pulledTo === undefined)
    return isQuant
      ? `a Job of that image fetches whole repositories, so that ${from} would be taken for a revision`
      : null;
  if (/^(pvc|oci):/.test(from)) return `${from} is nothing that "berth pull" fetches`;
  const isFile = isQuant || /\.gguf$/i.test(from);
  return isFile && !/\.gguf$/i.test(pulledTo)
    ? `${from} is one file, and models.NAME.at.HOST.path does not say by which name (ending in .gguf) it lies there`
    : null;
}

/** Of a file beside a model its own name is the one under which the engine opens it. */
function besideRefuses(
  { from, path }: NonNullable<Fetched['also']>[number],
  { pulledTo }: Fetched,
): string | null {
  const shown = shownSource(from);
  if (/^(pvc|oci):/.test(from)) return `${shown} is nothing that a Job fetches`;
  if (!/\.gguf$/i.test(path)) return `${shown} does not name the file (ending in .gguf) that is wanted of it`;
  if (pulledTo === undefined && from.startsWith('hf:'))
    return `a Job of that image fetches whole repositories, and ${shown} is one file`;
  return path === pulledTo ? `the model and ${shown} would lie under one name, ${path}` : null;
}

/**
 * The claim and the Job that fills it, which the first replica of each deployment has for all. Deployments that share a model share
 * both, and they are of none of them. A claim outlasts them. Pure.
 */
export function fetchObjects({ replica, spec, metaOf }: Fetching): KubeObject[] {
  const { fetched } = spec;
  if (!fetched || replica !== 0) return [];
  const { claim, size, storageClass, access } = fetched;
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: withoutPlace(metaOf(claim)),
      spec: {
        accessModes: [access],
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        resources: { requests: { storage: size } },
      },
    },
    job(fetched, metaOf),
  ];
}

function withoutPlace({ labels = {}, ...meta }: KubeObject['metadata']): KubeObject['metadata'] {
  const { 'app.kubernetes.io/name': _name, 'app.kubernetes.io/instance': _instance, ...fleet } = labels;
  return { ...meta, labels: fleet };
}

/** A Job cannot be changed: whatever is another in it, be it another wish or another berth's way of writing it, is another one. */
function job(fetched: Fetched, metaOf: Fetching['metaOf']): KubeObject {
  const spec = fetchSpec(fetched);
  const { claim, folder, from, pulledTo } = fetched;
  const name = `${claim.replaceAll('.', '-').slice(0, 40)}-fetch-${hashOf(JSON.stringify(spec))}`;
  const { labels, ...meta } = withoutPlace(metaOf(name));
  // Of other programs several may fill one folder, each with files of its own.
  const place = hashOf(JSON.stringify([claim, ...(pulledTo === undefined ? [folder, from] : [pulledTo])]));
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...meta, labels: { ...labels, [fetchLabel]: place } },
    spec,
  };
}

/** Holds an engine back until its model is whole; empty where nobody fetches it. */
export function waitForFetch({ fetched }: LaunchSpec): Record<string, unknown>[] {
  return fetched ? [waitingContainer(fetched)] : [];
}
