import { posix } from 'node:path';
import type { GivenResources } from '../../domain/resources.ts';
import { amountsOf } from '../../kube/launched.ts';
import { ownUser } from '../../kube/own-user.ts';
import { piecesOf } from './fetch-pieces.ts';
import type { Fetched, Piece } from './fetch-pieces.ts';

const mount = '/mnt/models';
const caFolder = '/etc/berth-ca';

/** Pods of a Job that fetches this, one piece after the other. Pure. */
export function fetchSpec(fetched: Fetched): Record<string, unknown> {
  const { ca, pulledTo, pullSecrets = [], anyUser = false } = fetched;
  const isBerth = pulledTo !== undefined;
  const pieces = piecesOf(fetched).map((piece, at, { length }) =>
    container(fetched, piece, at === length - 1 ? 'fetch' : `fetch-beside-${at}`),
  );
  const seccompProfile = { type: 'RuntimeDefault' };
  return {
    backoffLimit: 6,
    template: {
      spec: {
        restartPolicy: 'OnFailure',
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((name) => ({ name })) }),
        securityContext: isBerth
          ? {
              runAsNonRoot: true,
              ...(anyUser ? {} : { fsGroup: ownUser }),
              fsGroupChangePolicy: 'OnRootMismatch',
              seccompProfile,
            }
          : { seccompProfile },
        ...(pieces.length > 1 ? { initContainers: pieces.slice(0, -1) } : {}),
        containers: pieces.slice(-1),
        volumes: [
          { name: 'model', persistentVolumeClaim: { claimName: fetched.claim } },
          { name: 'tmp', emptyDir: {} },
          ...(ca === undefined ? [] : [caVolume(ca)]),
        ],
      },
    },
  };
}

function container(fetched: Fetched, piece: Piece, name: string): Record<string, unknown> {
  const { image, secret, resources, ca, entrypoint } = fetched;
  const isBerth = piece.pulledTo !== undefined;
  return {
    name,
    image,
    ...(isBerth ? { args: pullArgs(piece) } : { command: scriptCommand(piece, entrypoint) }),
    resources: amountsOf(resources ?? usualAmounts),
    env: Object.entries(variables(fetched)).map(([key, value]) => ({ name: key, value })),
    ...(secret === undefined ? {} : { envFrom: [{ secretRef: { name: secret } }] }),
    securityContext: isBerth ? { ...bare, readOnlyRootFilesystem: true } : bare,
    volumeMounts: [
      { name: 'model', mountPath: mount },
      { name: 'tmp', mountPath: '/tmp' },
      ...(ca === undefined ? [] : [{ name: 'ca', mountPath: caFolder, readOnly: true }]),
    ],
  };
}

const bare = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

function caVolume({ configMap: name, key }: NonNullable<Fetched['ca']>): object {
  return { name: 'ca', configMap: { name, items: [{ key, path: 'ca.crt' }] } };
}

/** Words after "berth". The model lies where the engine opens it, with the name that the engine has for it. */
function pullArgs({ from, sums = {}, pulledTo = '', mark }: Piece): string[] {
  const wanted = Object.entries(sums).flatMap(([file, sum]) => ['--sum', `${file}=${sum}`]);
  return ['pull', from, '--to', posix.join(mount, pulledTo), '--mark', inMount(mark), ...wanted];
}

function variables({ env = {}, ca, pulledTo }: Fetched): Record<string, string> {
  const file = posix.join(caFolder, 'ca.crt');
  if (pulledTo !== undefined)
    return { HOME: '/tmp', ...(ca === undefined ? {} : { NODE_EXTRA_CA_CERTS: file }), ...env };
  return {
    HF_HOME: '/tmp/hf',
    HF_HUB_DISABLE_TELEMETRY: '1',
    ...(ca === undefined ? {} : { AWS_CA_BUNDLE: file, REQUESTS_CA_BUNDLE: file }),
    ...env,
  };
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

function scriptCommand({ from, folder, sums = {}, mark }: Piece, entrypoint: readonly string[]): string[] {
  const lines = Object.entries(sums).map(([file, sum]) => `${sum} ${file}`);
  const into = posix.join(mount, folder);
  return ['sh', '-c', script, inMount(mark), from, into, lines.join('\n'), ...entrypoint];
}

function inMount(path: string): string {
  return posix.join(mount, path);
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
/** Node alone takes more than a shell. */
const waitingByNode: GivenResources = {
  requests: { cpu: 0.01, memory: GiB / 16 },
  limits: { cpu: 0.1, memory: GiB / 8 },
};

/** An init container that ends once all of it is there. The image of berth need not have a shell. Pure. */
export function waitingContainer(fetched: Fetched): Record<string, unknown> {
  const isBerth = fetched.pulledTo !== undefined;
  const marks = piecesOf(fetched).map(({ mark }) => inMount(mark));
  const look =
    "const { existsSync } = require('fs'); const look = () => process.argv.slice(1).every((mark) => existsSync(mark)) || setTimeout(look, 2000); look()";
  return {
    name: 'model',
    image: fetched.image,
    command: isBerth
      ? ['node', '-e', look, ...marks]
      : ['sh', '-c', 'for mark; do until [ -e "$mark" ]; do sleep 2; done; done', 'sh', ...marks],
    resources: amountsOf(isBerth ? waitingByNode : waitingAmounts),
    securityContext: bare,
    volumeMounts: [{ name: 'model', mountPath: mount, readOnly: true }],
  };
}
