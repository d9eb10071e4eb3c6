import { isAddress } from '../domain/model-source.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { limitsOf } from '../domain/resources.ts';
import { entrypointOf, gpuRefusal, imageOf, podSecretRefusal } from '../kube/launched.ts';
import { objectName } from '../kube/names.ts';
import type { Target } from './contract.ts';
import { fetchRefuses } from './kubernetes/fetch.ts';
import { foresee } from './kubernetes/foresee.ts';
import { KubernetesOptions } from './kubernetes/options.ts';
import { platformRefuses } from './kubernetes/platform.ts';
import { rolls } from './kubernetes/strategy.ts';

function refuses(spec: LaunchSpec, options: KubernetesOptions): string | null {
  if (imageOf(spec, options) === null)
    return 'the engine has no image of its own, and target.image names none';
  if (entrypointOf(spec, options) === null) return 'target.entrypoint does not say what to run in the image';
  for (const path of [spec.model, spec.mmproj])
    if (path !== null && isAddress(path) && !path.startsWith('pvc://'))
      return `nobody fetches ${path} there; say under models.NAME.at where the cluster has it`;
  return (
    gpuRefusal(spec, options) ??
    podSecretRefusal(spec, options) ??
    fetchRefuses(spec) ??
    platformRefuses(spec, options)
  );
}

/**
 * A Deployment with its Service, applied by the server itself (server-side apply), so that what others own stays theirs. The
 * mark is an annotation of the Deployment; the cluster starts again what crashes. Objects without it are never touched.
 */
export const kubernetesTarget = {
  kind: 'kubernetes',
  title: 'a Deployment of a Kubernetes cluster',
  options: KubernetesOptions,
  inCluster: true,
  supervises: true,
  hostPrograms: () => false,
  bounds: (spec, options) => ({ ...limitsOf(spec), image: imageOf(spec, options) }),
  refuses,
  foresee,
  // The cluster itself has the new pod come before the old one goes.
  beside: () => false,
  updatesBeside: true,
  rolls,
  // What acts is loaded when it acts: reading a fleet file needs the options alone.
  observe: async (world) => (await import('./kubernetes/observe.ts')).markedDeployments(world),
  isAlive: async (world, instance) => (await import('./kubernetes/observe.ts')).isAlive(world, instance),
  settled: async (world, instance) => (await import('./kubernetes/observe.ts')).settled(world, instance),
  preview: async (world, request, options) =>
    (await import('./kubernetes/preview.ts')).preview(world, request, options),
  previewEnd: async (world, place) => (await import('./kubernetes/preview.ts')).previewEnd(world, place),
  create: async (world, request, options) =>
    (await import('./kubernetes/create.ts')).create(world, request, options),
  update: async (world, _instance, request, options) =>
    (await import('./kubernetes/create.ts')).create(world, request, options),
  restart: async (world, instance, how) =>
    (await import('./kubernetes/create.ts')).restart(world, instance, how),
  finish: async (world, instance) => (await import('./kubernetes/create.ts')).finish(world, instance),
  remove: async (world, instance, how) =>
    (await import('./kubernetes/create.ts')).remove(world, instance, how),
  settle: async (world) => (await import('./kubernetes/fetch-jobs.ts')).sweepFetches(world),
  leaves: async (world, mark) => (await import('./kubernetes/leaves.ts')).leaves(world, mark),
  record: {
    read: async (world, place) => (await import('./kubernetes/record.ts')).readRecord(world, place),
    keep: async (world, place, text) =>
      (await import('./kubernetes/record.ts')).keepRecord(world, place, text),
  },
  logs: async function* (world, instance, how) {
    yield* (await import('./kubernetes/observe.ts')).logs(world, instance, how);
  },
  logPlace: (mark) => `kubectl logs deployment/${objectName(mark.deployment, mark.replica)}`,
  usage: async (world, instance) => (await import('./kubernetes/observe.ts')).usage(world, instance),
  readBack: async (world, instance) => (await import('./kubernetes/rerender.ts')).readBack(world, instance),
  adopt: async (world, foreign, mark) => (await import('./kubernetes/adopt.ts')).adopt(world, foreign, mark),
  disown: async (world, instance) => (await import('./kubernetes/adopt.ts')).disown(world, instance),
  rendersOtherwise: async (world, instance) =>
    (await import('./kubernetes/rerender.ts')).rendersOtherwise(world, instance),
} as const satisfies Target<'kubernetes', KubernetesOptions>;
