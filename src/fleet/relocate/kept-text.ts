import { createHash } from 'node:crypto';
import type { World } from '../../io/world.ts';
import type { EditedFile } from './edited-file.ts';

/*
 * While a change is carried out, the old text of the fleet file lies beside it: whoever runs the same command again, after it was
 * killed, begins where it began.
 */

const first =
  /^# The fleet file as it was before a change that berth has begun; what was written then: ([0-9a-f]{64})(?:; by: ([^\n]+))?\n/;

export function keptPath(path: string): string {
  return `${path}.before-move`;
}

export interface KeptText {
  readonly text: string;
  /** The command that began the change, such as "move mistral"; null where it does not say. */
  readonly by: string | null;
}

/** What was before a change that was not finished; null where there is none, or the file has been edited since. */
export async function readKept(world: Pick<World, 'files'>, path: string): Promise<KeptText | null> {
  const kept = await world.files.read(keptPath(path));
  const [line, written, by = null] = (kept === null ? null : first.exec(kept)) ?? [];
  const now = await world.files.read(path);
  if (kept === null || line === undefined || now === null) return null;
  const text = kept.slice(line.length);
  // With the old text there again an undo was broken off: engines may still be as the change had them.
  return hashOf(now) === written || now === text ? { text, by } : null;
}

export async function keepText(
  world: Pick<World, 'files'>,
  { path, before, after }: EditedFile,
  by: string,
): Promise<void> {
  const head = `# The fleet file as it was before a change that berth has begun; what was written then: ${hashOf(after)}; by: ${by}\n`;
  const stat = await world.files.stat(path);
  await world.files.write(keptPath(path), head + before, stat?.mode ?? 0o644);
}

export async function forgetKept(world: World, path: string): Promise<void> {
  await world.files.remove(keptPath(path));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
