import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import { isAddress } from '../../domain/model-source.ts';
import type { GivenResources } from '../../domain/resources.ts';
import { amountsOf } from '../../kube/launched.ts';
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
    job(deployment, fetched, metaOf),
  ];
}

function withoutPlace({ labels = {}, ...meta }: KubeObject['metadata']): KubeObject['metadata'] {
  const { 'app.kubernetes.io/name': _name, 'app.kubernetes.io/instance': _instance, ...fleet } = labels;
  return { ...meta, labels: fleet };
}

/** A Job cannot be changed: whatever is another in it, be it another wish or another berth's way of writing it, is another one. */
function job(deployment: string, fetched: Fetched, metaOf: Fetching['metaOf']): KubeObject {
  const spec = jobSpec(fetched);
  const name = `${objectName(deployment, 0)}-fetch-${hashOf(JSON.stringify(spec))}`;
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: metaOf(name), spec };
}

/**
 * What was fetched once is told by a file beside it, which only a whole fetch leaves. A file with another sum than the stated one
 * is taken away, since what fetches would find it there and leave it.
 */
const script = [
  'set -e; mark="$0"; from="$1"; folder="$2"; sums="$3"; shift 3',
  '[ ! -e "$mark" ] || exit 0',
  'mkdir -p "$folder"; "$@" "$from" "$folder"; wrong=""',
  'while read -r sum file; do [ -n "$file" ] || continue',
  'is="$(sha256sum <"$folder/$file")" || { echo "berth: $file was not fetched"; wrong=1; continue; }',
  'case "$is" in "$sum "*) ;; *) echo "berth: the SHA-256 of $file is ${is%% *}, not $sum"; rm -f "$folder/$file"; wrong=1;; esac',
  'done <<END\n$sums\nEND',
  '[ -z "$wrong" ] || exit 1; touch "$mark"',
].join('\n');

function jobSpec(fetched: Fetched): Record<string, unknown> {
  const { image, entrypoint, secret, from, resources, sums = {} } = fetched;
  const folder = posix.join(mount, fetched.folder);
  const lines = Object.entries(sums).map(([file, sum]) => `${sum} ${file}`);
  const container = {
    name: 'fetch',
    image,
    command: ['sh', '-c', script, markOf(fetched), from, folder, lines.join('\n'), ...entrypoint],
    resources: amountsOf(resources ?? usualAmounts),
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
  };
}

const GiB = 1024 ** 3;

/** A namespace with a quota takes no container that does not say what it takes. */
const usualAmounts: GivenResources = {
  requests: { cpu: 0.1, memory: GiB / 2 },
  limits: { cpu: 2, memory: 4 * GiB },
};
const waitingAmounts: GivenResources = {
  requests: { cpu: 0.01, memory: GiB / 64 },
  limits: { cpu: 0.1, memory: GiB / 16 },
};

/** Holds an engine back until its model is whole; empty where nobody fetches it. */
export function waitForFetch({ fetched }: LaunchSpec): Record<string, unknown>[] {
  if (!fetched) return [];
  return [
    {
      name: 'model',
      image: fetched.image,
      command: ['sh', '-c', 'until [ -e "$0" ]; do sleep 2; done', markOf(fetched)],
      resources: amountsOf(waitingAmounts),
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      volumeMounts: [{ name: 'model', mountPath: mount, readOnly: true }],
    },
  ];
}

/** With other sums it has to be looked at again. */
function markOf({ from, folder, sums }: Fetched): string {
  const what = sums === undefined ? from : JSON.stringify([from, sums]);
  return posix.join(mount, folder, `.berth-${hashOf(what)}`);
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
