import { join } from 'node:path';
import { markText } from '../../domain/mark-text.ts';
import type { Mark } from '../../domain/instance.ts';
import type { Instance, ProcessId } from '../../domain/instance.ts';
import type { ProcessEntry, ProcessTable } from '../../domain/process-facts.ts';
import { parseMark } from '../../domain/parse-mark.ts';
import type { World } from '../../io/world.ts';
import type { Foreign } from '../contract.ts';

/**
 * Marks of processes that berth did not start. A file's name is the boot, the pid and the start of its process, so that it means
 * nothing once that process is gone, whoever has its pid then. What such a mark says is started and sent with the rights of whoever
 * reads it: root's lie where nobody else may write (`written-marks.ts`), since the state folder may lie in one of another user.
 */
function folder(world: World): string {
  return world.uid === 0 ? '/run/berth/adopted' : join(world.places.state, 'marks');
}

function pathOf(world: World, { bootId, pid, startTicks }: ProcessId): string {
  return join(folder(world), `${bootId}-${pid}-${startTicks}`);
}

export async function adopt(world: World, { process }: Foreign, mark: Mark): Promise<null> {
  if (!process) throw new Error(`${mark.deployment} is no process of ${world.machine}.`);
  await world.files.write(pathOf(world, process), `${markText(mark)}\n`, 0o600);
  return null;
}

/** The mark of one that berth started is in its environment, and goes with it alone. */
export async function disown(world: World, { process }: Instance): Promise<boolean> {
  if (!process || !(await isAdopted(world, process))) return false;
  await forget(world, process);
  return true;
}

export async function isAdopted(world: World, process: ProcessId): Promise<boolean> {
  return (await world.files.stat(pathOf(world, process))) !== null;
}

export function forget(world: World, process: ProcessId): Promise<void> {
  return world.files.remove(pathOf(world, process));
}

/** The adopted processes that still run, with their marks. */
export async function adoptedProcesses(
  world: World,
  { bootId, processes }: ProcessTable,
): Promise<{ entry: ProcessEntry; mark: Mark | null }[]> {
  const names = await world.files.list(folder(world)).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const [, pid, start] = /-(\d+)-(\d+)$/.exec(name) ?? [];
      const entry = processes.get(Number(pid));
      if (!entry || name !== `${bootId}-${pid}-${start}` || entry.startTicks !== Number(start)) return [];
      return [{ entry, mark: parseMark(await world.files.read(join(folder(world), name))) }];
    }),
  );
  return found.flat();
}
