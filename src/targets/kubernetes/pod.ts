import { fillArgs } from '../../domain/fill-args.ts';
import type { LaunchSpec } from '../../domain/launch-spec.ts';
import {
  entrypointOf,
  gpusOf,
  imageOf,
  resourcesOf,
  serviceAccountOf,
  tolerationsOf,
  withDriver,
} from '../../kube/launched.ts';
import { pauseHook } from '../../kube/pre-stop.ts';
import { podVariables } from '../../kube/pod-variables.ts';
import { probesOf } from '../../kube/probes.ts';
import { verbatim } from '../../kube/verbatim.ts';
import { podFiller, volumesOf } from '../../kube/volumes.ts';
import type { Mounted, VolumeNames } from '../../kube/volumes.ts';
import { waitForFetch } from './fetch.ts';
import type { KubernetesOptions } from './options.ts';

/** The spec of a pod that runs this. Pure. */
export function podSpec(
  spec: LaunchSpec,
  options: KubernetesOptions,
  { port, names, sleeps }: { port: number; names: VolumeNames; sleeps: boolean },
): Record<string, unknown> {
  const shm = options.shm ?? spec.sharedMemory ?? null;
  const mounted = volumesOf(spec, names, shm);
  const node = options.node ?? spec.node;
  const selector = {
    ...options.nodeSelector,
    ...(node === undefined ? {} : { 'kubernetes.io/hostname': node }),
  };
  const tolerations = tolerationsOf(spec, options);
  const account = serviceAccountOf(spec, options);
  return {
    // A Service named like a variable of the engine's would hand it an address in place of a setting.
    enableServiceLinks: false,
    automountServiceAccountToken: false,
    ...(account === undefined ? {} : { serviceAccountName: account }),
    ...(options.pullSecrets.length === 0
      ? {}
      : { imagePullSecrets: options.pullSecrets.map((name) => ({ name })) }),
    terminationGracePeriodSeconds: Math.ceil(spec.stop.graceMs / 1000) + options.preStop,
    ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    securityContext: podSecurity(options),
    ...(spec.fetched ? { initContainers: waitForFetch(spec) } : {}),
    containers: [container(spec, options, { port, mounted, secret: names.secret, sleeps })],
    volumes: [...new Map(mounted.map(({ volume }) => [volume.name, volume])).values()],
  };
}

function container(
  spec: LaunchSpec,
  options: KubernetesOptions,
  {
    port,
    mounted,
    secret,
    sleeps,
  }: { port: number; mounted: readonly Mounted[]; secret: string; sleeps: boolean },
): Record<string, unknown> {
  const fill = podFiller(spec, port);
  const env = podVariables(withDriver(spec, options), secret, fill);
  return {
    name: 'engine',
    image: imageOf(spec, options) ?? '',
    imagePullPolicy: options.pull,
    command: (entrypointOf(spec, options) ?? []).map(verbatim),
    args: fillArgs(spec.args, fill).map(verbatim),
    ...(spec.workdir === undefined ? {} : { workingDir: spec.workdir }),
    ...(env.length === 0 ? {} : { env }),
    ports: [{ name: 'http', containerPort: port, protocol: 'TCP' }],
    ...probesOf(spec.readiness, 'http'),
    ...pauseHook(options.preStop, sleeps),
    resources: resourcesOf(spec, options),
    securityContext: {
      allowPrivilegeEscalation: false,
      // The hook of the GPU's runtime writes into the root of the container.
      readOnlyRootFilesystem: options.readOnlyRoot && gpusOf(spec, options) === null,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: mounted.map(({ volume, at, readOnly, subPath }) => ({
      name: volume.name,
      mountPath: at,
      ...(readOnly ? { readOnly } : {}),
      ...(subPath === undefined ? {} : { subPath }),
    })),
  };
}

function podSecurity({ user }: KubernetesOptions): Record<string, unknown> {
  const seccompProfile = { type: 'RuntimeDefault' };
  if (user === undefined) return { seccompProfile };
  const [uid = 0, gid = uid] = user.split(':').map(Number);
  return { runAsNonRoot: uid !== 0, runAsUser: uid, runAsGroup: gid, fsGroup: gid, seccompProfile };
}
