import { z } from 'zod';
import type { Instance } from '../domain/instance.ts';
import { programRefusal } from '../domain/program-refusal.ts';
import type { World } from '../io/world.ts';
import type { Target } from './contract.ts';

const ProcessOptions = z.strictObject({ kind: z.literal('process') });
type ProcessOptions = z.infer<typeof ProcessOptions>;

async function* logs(
  world: World,
  instance: Instance,
  how: { lines: number; follow: boolean; signal: AbortSignal },
): AsyncIterable<string> {
  const path = instance.mark?.logFile;
  if (path === undefined) return;
  const { logFiles } = world;
  const last = await logFiles.last(path, how.lines);
  yield* last.lines;
  if (how.follow) yield* logFiles.follow(path, { from: last.end, signal: how.signal });
}

/**
 * Plain processes on this machine, each in a session of its own so that it outlives berth. The mark travels in the environment; of a process
 * that was adopted it lies in a file.
 * They do not survive a reboot.
 */
export const processTarget = {
  kind: 'process',
  title: 'a process of its own',
  options: ProcessOptions,
  supervises: false,
  refuses: (spec, _options, far) => programRefusal(spec, far),
  beside: () => true,
  // What acts is loaded when it acts: reading a fleet file needs the options alone.
  observe: async (world) => (await import('./process/marks.ts')).markedProcesses(world),
  endsUnseen: true,
  isAlive: async (world, instance) => (await import('./process/look.ts')).isAlive(world, instance),
  preview: async (world, request) => (await import('./process/preview.ts')).preview(world, request),
  create: async (world, request) => (await import('./process/start.ts')).start(world, request),
  remove: async (world, instance, how) => (await import('./process/remove.ts')).remove(world, instance, how),
  record: {
    read: async (world, place) => (await import('./process/record.ts')).readRecord(world, place),
    keep: async (world, place, text, files) =>
      (await import('./process/record.ts')).keepRecord(world, place, text, files),
    file: async (world, place, name) =>
      (await import('./process/record.ts')).readRecordFile(world, place, name),
    drop: async (world, part) => (await import('./process/record.ts')).dropRecord(world, part),
  },
  logs,
  logPlace: (mark) => mark.logFile,
  usage: async (world, instance) => (await import('./process/look.ts')).usage(world, instance),
  adopt: async (world, foreign, mark) =>
    (await import('./process/mark-files.ts')).adopt(world, foreign, mark),
  disown: async (world, instance) => (await import('./process/mark-files.ts')).disown(world, instance),
} as const satisfies Target<'process', ProcessOptions>;
