import { z } from 'zod';
import type { Instance } from '../domain/instance.ts';
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
  const { followLines, lastLines } = await import('../io/log-file.ts');
  const last = await lastLines(path, how.lines);
  yield* last.lines;
  if (how.follow) yield* followLines(world.clock, path, { from: last.end, signal: how.signal });
}

/**
 * Plain processes on this machine, each in a session of its own so that it outlives berth. The mark travels in the environment.
 * They do not survive a reboot.
 */
export const processTarget = {
  kind: 'process',
  title: 'a process of its own',
  options: ProcessOptions,
  // What acts is loaded when it acts: reading a fleet file needs the options alone.
  observe: async (world) => (await import('./process/marks.ts')).markedProcesses(world),
  start: async (world, request) => (await import('./process/start.ts')).start(world, request),
  stop: async (world, instance, how) => (await import('./process/stop.ts')).stop(world, instance, how),
  logs,
} as const satisfies Target<'process', ProcessOptions>;
