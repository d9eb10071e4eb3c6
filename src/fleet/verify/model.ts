import { basename } from 'node:path';
import { formatBytes } from '../../domain/format.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import { hubName, isAddress } from '../../domain/model-source.ts';
import type { World } from '../../io/world.ts';
import { usesHostPrograms } from '../../targets/registry.ts';
import { engineHeaders } from '../apply/engine-key.ts';
import { urlOf } from '../apply/ready.ts';
import type { Deployment } from '../file/resolve.ts';
import type { Found } from './check.ts';
import { toldModels } from './told-models.ts';
import type { ToldModels } from './told-models.ts';

/** A process is told as started up to a second before it was: the kernel tells when it booted by whole seconds, rounded down. */
const startMayBeEarlyMs = 1_000;

interface ModelContext {
  readonly deployment: Deployment;
  readonly mark: Mark;
  readonly instance: Instance;
}

/**
 * Whether it serves the model that the file names, as far as the engine tells: under the name that requests carry, from the file
 * that was meant, and that this file is still the one it was started with.
 */
export async function modelCheck(world: World, { deployment, mark, instance }: ModelContext): Promise<Found> {
  const at = urlOf(mark);
  const cure = `"berth apply --restart ${deployment.name}" starts it with the model of the file.`;
  const told = await toldModels(world, at, await engineHeaders(world, mark));
  const { servedModel } = mark.spec;
  if (servedModel !== null && !told.names.includes(servedModel))
    return {
      at,
      seen: '',
      fault: `serves ${told.names.join(', ') || 'no model by name'}, not ${servedModel}`,
      cure,
    };
  const wanted = deployment.model?.path ?? null;
  const file = wanted === null ? null : await fileFacts(world, wanted, instance);
  const wrong = (wanted !== null && wrongSource(wanted, told, mark)) || file?.fault;
  if (wrong) return { at, fault: wrong, seen: '', cure };
  const seen = [
    ...(told.names.length > 0 ? [`serves ${told.names.join(', ')}`] : []),
    ...told.sources.map((source) => `from ${source}`),
    ...(file ? [file.seen] : []),
  ];
  if (told.names.length === 0 && told.sources.length === 0)
    return { at, skipped: 'does not tell which model it serves' };
  return { at, fault: null, seen: seen.join(', '), cure };
}

/** In a container the file lies elsewhere, so that its name alone can be compared. */
function wrongSource(wanted: string, { sources }: ToldModels, mark: Mark): string | null {
  if (sources.length === 0) return null;
  const inImage = !usesHostPrograms(mark.target);
  const hub = hubName(wanted);
  const meant = hub?.repo ?? wanted;
  function same(source: string): boolean {
    // Each cache of the Hub has a way of its own to write the repository into a path.
    if (hub)
      return (
        source === meant || source.includes(basename(meant)) || source.includes(basename(hub.path ?? meant))
      );
    return source === meant || ((inImage || !source.startsWith('/')) && basename(source) === basename(meant));
  }
  return sources.some(same) ? null : `serves the model from ${sources.join(', ')}, not from ${meant}`;
}

/** Of a file on the host; null for what lies elsewhere. */
async function fileFacts(
  world: World,
  path: string,
  { startedAt }: Instance,
): Promise<{ fault: string | null; seen: string } | null> {
  if (isAddress(path)) return null;
  const found = await world.files.stat(path);
  if (!found) return { fault: `its model file ${path} is gone`, seen: '' };
  const changed = new Date(found.mtimeMs).toISOString();
  const later =
    startedAt !== null && found.isFile && found.mtimeMs > Date.parse(startedAt) + startMayBeEarlyMs;
  return {
    fault: later ? `its model file ${path} has changed since it was started (${changed})` : null,
    seen: found.isFile ? `${formatBytes(found.size)}, unchanged since it was started` : 'a folder',
  };
}
