import { isAddress } from '../domain/model-source.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { limitsOf } from '../domain/resources.ts';
import { entrypointOf, gpuRefusal, imageOf, podSecretRefusal } from '../kube/launched.ts';
import { objectName } from '../kube/names.ts';
import type { Target } from './contract.ts';
import { isKnative } from './kserve/knative-spec.ts';
import { isOnlyNamed, KserveOptions, optionsOf } from './kserve/options.ts';
import { storageRefusal } from './kserve/storage.ts';

function refuses(spec: LaunchSpec, options: KserveOptions): string | null {
  const made = options.runtime === undefined || 'create' in options.runtime;
  if (made && imageOf(spec, options) === null)
    return 'the engine has no image of its own, and target.image names none';
  if (made && entrypointOf(spec, options) === null)
    return 'target.entrypoint does not say what to run in the image';
  if (spec.fetched !== undefined)
    return 'KServe fetches models itself: name the source alone, without models.NAME.at.HOST.fetch';
  if (spec.model !== null && !isAddress(spec.model))
    return `KServe takes no model from the disk of a node (${spec.model}); put it into a claim, and say so under models.NAME.at`;
  return gpuRefusal(spec, options) ?? podSecretRefusal(spec, options) ?? storageRefusal(spec, options);
}

/**
 * An InferenceService of KServe with a ServingRuntime. The mark lies in a ConfigMap of the fleet, since what stands on the
 * service flows into its pods. KServe makes of it what it makes; berth looks at that and owns the service alone.
 */
export const kserveTarget = {
  kind: 'kserve',
  title: 'an InferenceService of KServe',
  options: KserveOptions,
  inCluster: true,
  supervises: true,
  hostPrograms: () => false,
  bounds: (spec, options) => ({
    ...limitsOf(spec),
    // That of a runtime which is only named is the runtime's.
    image: isOnlyNamed(options) ? null : imageOf(spec, options),
  }),
  refuses,
  beside: () => false,
  updatesBeside: true,
  // What acts is loaded when it acts: reading a fleet file needs the options alone.
  observe: async (world) => (await import('./kserve/observe.ts')).markedServices(world),
  isAlive: async (world, instance) => (await import('./kserve/observe.ts')).isAlive(world, instance),
  settled: async (world, instance) => (await import('./kserve/observe.ts')).settled(world, instance),
  preview: async (world, request, options) =>
    (await import('./kserve/preview.ts')).preview(world, request, options),
  previewEnd: async (world, place) => (await import('./kserve/stop.ts')).previewEnd(world, place),
  create: async (world, request) => (await import('./kserve/create.ts')).create(world, request),
  update: async (world, _instance, request) => (await import('./kserve/create.ts')).create(world, request),
  restart: async (world, instance) => (await import('./kserve/create.ts')).restart(world, instance),
  remove: async (world, instance, how) => (await import('./kserve/create.ts')).remove(world, instance, how),
  park: async (world, instance, how) => (await import('./kserve/stop.ts')).park(world, instance, how),
  record: {
    read: async (world, place) => (await import('./kserve/record.ts')).readRecord(world, place),
    keep: async (world, place, text) => (await import('./kserve/record.ts')).keepRecord(world, place, text),
  },
  logs: async function* (world, instance, how) {
    yield* (await import('./kserve/observe.ts')).logs(world, instance, how);
  },
  logPlace: (mark) => {
    const name = objectName(mark.deployment, mark.replica);
    const pods = isKnative(optionsOf(mark))
      ? `-l serving.knative.dev/service=${name}-predictor --tail=-1`
      : `deployment/${name}-predictor`;
    return `kubectl logs ${pods} -c kserve-container`;
  },
  usage: async (world, instance) => (await import('./kserve/observe.ts')).usage(world, instance),
  readBack: async (world, instance) => (await import('./kserve/create.ts')).readBack(world, instance),
  rendersOtherwise: async (world, instance) =>
    (await import('./kserve/create.ts')).rendersOtherwise(world, instance),
} as const satisfies Target<'kserve', KserveOptions>;
