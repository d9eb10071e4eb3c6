import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { World } from '../../io/world.ts';

/**
 * Whoever may read the environments of others' processes, as root does, finds marks there that anybody may have written: what they say
 * would be started, and their secrets be sent, with root's rights. Nothing that such a process is or does tells a mark of ours from
 * another: an engine that runs as another user can take on any other text with `execve`, a `sudo` of anybody is root's process with its
 * caller's environment. So root keeps the hash of each text that it writes, where nobody else may: not in the state folder, which may
 * lie in a folder of another user, nor by what `--state-dir` says, since its engines are seen from elsewhere as well. It goes with the
 * boot, as processes do. What is copied from a process word by word is believed: it has root's own command started, and nothing else.
 */
const folder = '/run/berth/marks';

/** Tells whether berth has written this very text as a mark. Ordinary users read the environments of their own processes alone. */
export async function writtenMarks(world: World): Promise<(text: string) => boolean> {
  if (world.uid !== 0) return () => true;
  const known = new Set(await world.files.list(folder));
  return (text) => known.has(nameOf(text));
}

/** Before the process has it. Throws WRITE_DENIED or DISK_FULL: what is not recorded would be a stranger at once. */
export async function recordMark(world: World, text: string): Promise<void> {
  if (world.uid === 0) await world.files.write(join(folder, nameOf(text)), '', 0o600);
}

/** Once no process has it. */
export async function forgetMark(world: World, text: string): Promise<void> {
  if (world.uid === 0) await world.files.remove(join(folder, nameOf(text)));
}

function nameOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
