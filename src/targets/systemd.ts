import { programRefusal } from '../domain/program-refusal.ts';
import { limitsOf } from '../domain/resources.ts';
import type { Target } from './contract.ts';
import { SystemdOptions, unitWish } from './systemd/options.ts';
import { containerRefusal, unitImageOf } from './systemd/quadlet.ts';

/**
 * Units of systemd: the system's where berth may change it (root, or "become: sudo"), else those of the user. The mark
 * lies in a drop-in beside the unit, which podman makes of a Quadlet file where the engine runs in a container. They are
 * there after a reboot, and systemd starts again what crashes.
 */
export const systemdTarget = {
  kind: 'systemd',
  title: 'a unit of systemd',
  options: SystemdOptions,
  supervises: true,
  hostPrograms: ({ container }) => container === undefined,
  refuses: (spec, { container }, far) =>
    container === undefined ? programRefusal(spec, far) : containerRefusal(spec, container),
  bounds: (spec, { container }) => ({
    ...limitsOf(spec),
    image: container === undefined ? null : unitImageOf(spec, container),
  }),
  // A name that was asked for is there once.
  beside: (options) => unitWish(options).name === null,
  observe: async (world) => (await import('./systemd/observe.ts')).observe(world),
  isAlive: async (world, instance) => {
    const { observe } = await import('./systemd/observe.ts');
    return (await observe(world)).some((one) => one.object.id === instance.object.id && one.alive);
  },
  remains: async (world, instance) => (await import('./systemd/observe.ts')).remains(world, instance),
  preview: async (world, request, options) =>
    (await import('./systemd/preview.ts')).preview(world, request, options),
  create: async (world, request, options) =>
    (await import('./systemd/create.ts')).create(world, request, options),
  restart: async (world, instance) => (await import('./systemd/create.ts')).restart(world, instance),
  remove: async (world, instance, how) => (await import('./systemd/create.ts')).remove(world, instance, how),
  settle: async (world) => (await import('./systemd/create.ts')).settle(world),
  record: {
    read: async (world, place) => (await import('./systemd/record.ts')).readRecord(world, place),
    keep: async (world, place, text, files) =>
      (await import('./systemd/record.ts')).keepRecord(world, place, text, files),
    file: async (world, place, name) =>
      (await import('./systemd/record.ts')).readRecordFile(world, place, name),
    drop: async (world, part) => (await import('./systemd/record.ts')).dropRecord(world, part),
  },
  logs: async function* (world, instance, how) {
    yield* (await import('./systemd/logs.ts')).logs(world, instance, how);
  },
  logPlace: (_mark, instance) => {
    const [scope = '', unit = ''] = (instance?.object.id ?? 'system/').split('/');
    return `journalctl ${scope === 'user' ? '--user-unit' : '-u'} ${unit}`;
  },
  usage: async (world, instance) => (await import('./systemd/read-back.ts')).usage(world, instance),
  adopt: async (world, foreign, mark) => (await import('./systemd/adopt.ts')).adopt(world, foreign, mark),
  disown: async (world, instance) => (await import('./systemd/adopt.ts')).disown(world, instance),
  readBack: async (world, instance) => (await import('./systemd/read-back.ts')).readBack(world, instance),
  rendersOtherwise: async (world, instance) =>
    (await import('./systemd/rerender.ts')).rendersOtherwise(world, instance),
} as const satisfies Target<'systemd', SystemdOptions>;
