import type { LaunchSpec } from '../domain/launch-spec.ts';
import { limitsOf } from '../domain/resources.ts';
import { machineSecretRefusal } from '../domain/secret.ts';
import type { Target } from './contract.ts';
import { DockerOptions } from '../container/options.ts';
import { entrypointOf, imageOf } from '../container/render.ts';
import { unasked } from './docker/unasked.ts';

function refuses(spec: LaunchSpec, options: DockerOptions): string | null {
  if (imageOf(spec, options) === null)
    return 'the engine has no image of its own, and target.image names none';
  if (entrypointOf(spec, options) === null) return 'target.entrypoint does not say what to run in the image';
  return machineSecretRefusal(spec);
}

/**
 * Containers of Docker, or of podman by the same API. The mark is a label, and of one
 * that was adopted an empty volume; secrets are mounted as files, since variables show.
 * The daemon starts again what crashes. Containers without a mark are never touched.
 */
export const dockerTarget = {
  kind: 'docker',
  title: 'a container of Docker or podman',
  options: DockerOptions,
  supervises: true,
  hostPrograms: () => false,
  refuses,
  bounds: (spec, options) => ({ ...limitsOf(spec), image: imageOf(spec, options) }),
  beside: () => true,
  // What acts is loaded when it acts: reading a fleet file needs the options alone.
  observe: async (world) => (await import('./docker/observe.ts')).weighedContainers(world),
  unasked,
  endsUnseen: true,
  isAlive: async (world, instance) => (await import('./docker/observe.ts')).isAlive(world, instance),
  preview: async (world, request, options) =>
    (await import('./docker/preview.ts')).preview(world, request, options),
  create: async (world, request, options) =>
    (await import('./docker/create.ts')).create(world, request, options),
  restart: async (world, instance) => (await import('./docker/create.ts')).restart(world, instance),
  remove: async (world, instance, how) => (await import('./docker/create.ts')).remove(world, instance, how),
  record: {
    read: async (world, place) => (await import('./docker/record.ts')).readRecord(world, place),
    keep: async (world, place, text, files) =>
      (await import('./docker/record.ts')).keepRecord(world, place, text, files),
    file: async (world, place, name) =>
      (await import('./docker/record.ts')).readRecordFile(world, place, name),
    drop: async (world, part) => (await import('./docker/record.ts')).dropRecord(world, part),
  },
  logs: async function* (world, instance, how) {
    yield* (await import('./docker/logs.ts')).containerLogs(world, instance, how);
  },
  logPlace: (mark, instance) =>
    `docker logs ${instance?.object.name.replace(/^container /, '') ?? `berth-${mark.fleet}-${mark.deployment}-${mark.replica}-${mark.port}`}`,
  usage: async (world, instance) => (await import('./docker/observe.ts')).usage(world, instance),
  readBack: async (world, instance) => (await import('./docker/read-back.ts')).readBack(world, instance),
  rendersOtherwise: async (world, instance) =>
    (await import('./docker/rerender.ts')).rendersOtherwise(world, instance),
  adopt: async (world, foreign, mark) => (await import('./docker/adopt.ts')).adopt(world, foreign, mark),
  disown: async (world, instance) => (await import('./docker/adopt.ts')).disown(world, instance),
} as const satisfies Target<'docker', DockerOptions>;
