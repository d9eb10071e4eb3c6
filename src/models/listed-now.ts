import { BerthError } from '../domain/errors/berth-error.ts';
import type { ListedFile } from '../domain/listed-model.ts';
import { shownSource } from '../domain/model-source.ts';
import type { World } from '../io/world.ts';
import type { FileOfModel, PullOptions } from './pull-options.ts';

/**
 * Asks a place again for a file that came otherwise than it was listed. Throws DOWNLOAD_CHANGED where it lists another by now: no
 * further byte of it can be right. A place that gives no list now is no reason to give up.
 */
export async function checkListed(
  world: World,
  { kind, source, file }: FileOfModel,
  { access }: PullOptions,
): Promise<void> {
  const listed = await kind.list(world, source, access).catch(() => null);
  access.signal.throwIfAborted();
  if (listed === null) return;
  const found = listed.files.find(({ path }) => path === file.path);
  const now = found && ((await kind.withSum?.(world, source, found, access).catch(() => null)) ?? found);
  const reason = now === undefined ? 'its place has it no more' : difference(file, now);
  if (reason !== null)
    throw new BerthError('DOWNLOAD_CHANGED', { source: shownSource(source), file: file.path, reason });
}

/** Only what both tell is compared. */
function difference(before: ListedFile, now: ListedFile): string | null {
  if (before.size !== null && now.size !== null && before.size !== now.size)
    return `its place lists ${now.size} bytes of it by now, and ${before.size} before`;
  const other = [
    [before.sha256, now.sha256],
    [before.gitName, now.gitName],
    [before.crc?.kind === now.crc?.kind && before.crc?.value, now.crc?.value],
  ].some(([one, two]) => one && two && one !== two);
  return other ? 'its place lists another sum of it by now' : null;
}
