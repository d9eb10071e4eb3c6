import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';
import { objectName } from '../../kube/names.ts';
import type { KubeObject } from '../../kube/object.ts';

type Fetched = NonNullable<LaunchSpec['fetched']>;

const mount = '/mnt/models';

/** Of a deployment, what fetches its model. */
export interface Fetching {
  readonly deployment: string;
  readonly replica: number;
  readonly spec: LaunchSpec;
  readonly metaOf: (name: string) => KubeObject['metadata'];
}

/** Why it cannot be fetched; null when it can, or nobody fetches it. */
export function fetchRefuses({ fetched }: LaunchSpec): string | null {
  if (!fetched) return null;
  const { from } = fetched;
  if (!isAddress(from)) return `${from} is a file of this machine, which no Job of a cluster can fetch`;
  return /^hf:\/\/[^/]+\/[^/]+:/.test(from)
    ? `a Job fetches whole repositories, so that ${from} would be taken for a revision`
    : null;
}

/** The claim and the Job that fills it, which the first replica has for all. A claim outlasts them. Pure. */
export function fetchObjects({ deployment, replica, spec, metaOf }: Fetching): KubeObject[] {
  const { fetched } = spec;
  if (!fetched || replica !== 0) return [];
  const { claim, size, storageClass, access } = fetched;
  return [
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      // Deployments that share it are each other's, so it is of none of them.
      metadata: withoutPlace(metaOf(claim)),
      spec: {
        accessModes: [access],
        ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
        resources: { requests: { storage: size } },
      },
    },
    job(fetched, metaOf(jobName(deployment, fetched))),
  ];
}

function withoutPlace({ labels = {}, ...meta }: KubeObject['metadata']): KubeObject['metadata'] {
  const { 'app.kubernetes.io/name': _name, 'app.kubernetes.io/instance': _instance, ...fleet } = labels;
  return { ...meta, labels: fleet };
}

/** A Job cannot be changed: another wish is another one. */
export function jobName(deployment: string, fetched: Fetched): string {
  return `${objectName(deployment, 0)}-fetch-${hashOf(JSON.stringify(fetched))}`;
}

function job(fetched: Fetched, metadata: KubeObject['metadata']): KubeObject {
  const { image, entrypoint, secret, from } = fetched;
  const folder = posix.join(mount, fetched.folder);
  // What was fetched once is told by a file beside it, which only a whole fetch leaves.
  const script =
    'set -e; mark="$0"; from="$1"; folder="$2"; shift 2; [ ! -e "$mark" ] || exit 0; mkdir -p "$folder"; "$@" "$from" "$folder"; touch "$mark"';
  const container = {
    name: 'fetch',
    image,
    command: ['sh', '-c', script, markOf(fetched), from, folder, ...entrypoint],
    env: [
      { name: 'HF_HOME', value: '/tmp/hf' },
      { name: 'HF_HUB_DISABLE_TELEMETRY', value: '1' },
    ],
    ...(secret === undefined ? {} : { envFrom: [{ secretRef: { name: secret } }] }),
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
    volumeMounts: [
      { name: 'model', mountPath: mount },
      { name: 'tmp', mountPath: '/tmp' },
    ],
  };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata,
    spec: {
      backoffLimit: 6,
      template: {
        spec: {
          restartPolicy: 'OnFailure',
          enableServiceLinks: false,
          automountServiceAccountToken: false,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          containers: [container],
          volumes: [
            { name: 'model', persistentVolumeClaim: { claimName: fetched.claim } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  };
}

/** Holds an engine back until its model is whole; empty where nobody fetches it. */
export function waitForFetch({ fetched }: LaunchSpec): Record<string, unknown>[] {
  if (!fetched) return [];
  return [
    {
      name: 'model',
      image: fetched.image,
      command: ['sh', '-c', 'until [ -e "$0" ]; do sleep 2; done', markOf(fetched)],
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'model', mountPath: mount, readOnly: true }],
    },
  ];
}

function markOf({ from, folder }: Fetched): string {
  return posix.join(mount, folder, `.berth-${hashOf(from)}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
