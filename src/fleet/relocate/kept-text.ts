import { createHash } from 'node:crypto';
import type { World } from '../../io/world.ts';
import type { EditedFile } from './edited-file.ts';

/*
 * While a change is carried out, the old text of the fleet file lies beside it: whoever runs the same command again, after it was
 * killed, begins where it began.
 */

const first =
  /^# The fleet file as it was before a change that berth has begun; what was written then: ([0-9a-f]{64})\n/;

export function keptPath(path: string): string {
  return `${path}.before-move`;
}

/** The text before a change that was not finished; null where there is none, or the file has been edited since. */
export async function readKept(world: Pick<World, 'files'>, path: string): Promise<string | null> {
  const kept = await world.files.read(keptPath(path));
  const [line, written] = (kept === null ? null : first.exec(kept)) ?? [];
  const now = await world.files.read(path);
  if (kept === null || line === undefined || now === null) return null;
  const before = kept.slice(line.length);
  // With the old text there again an undo was broken off: engines may still be as the change had them.
  return hashOf(now) === written || now === before ? before : null;
}

export async function keepText(
  world: Pick<World, 'files'>,
  { path, before, after }: EditedFile,
): Promise<void> {
  const head = `# The fleet file as it was before a change that berth has begun; what was written then: ${hashOf(after)}\n`;
  const stat = await world.files.stat(path);
  await world.files.write(keptPath(path), head + before, stat?.mode ?? 0o644);
}

export async function forgetKept(world: World, path: string): Promise<void> {
  await world.files.remove(keptPath(path));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
