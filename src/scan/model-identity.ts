import { fileIdentity, folderIdentity } from '../io/procfs/file-identity.ts';
import type { World } from '../io/world.ts';
import type { Looked } from './seen.ts';

type Where = Parameters<typeof fileIdentity>[1];

/** What one model alone has in its folder; a folder of several models has folders. */
const ofOneModel = /^(config|params)\.json$|\.(safetensors|gguf|engine)$/i;

/** The file of a model with the size of all of its parts, or its folder; null where neither is seen. */
export async function modelIdentity(
  world: Pick<World, 'files' | 'proc'>,
  where: Where,
  path: string,
): Promise<Looked['file']> {
  const file = await fileIdentity(world, where, path);
  if (!file) {
    const folder = await folderIdentity(world, where, path);
    return folder?.names.some((name) => ofOneModel.test(name)) ? { id: folder.id, bytes: null } : null;
  }
  const further = await Promise.all(furtherParts(path).map((part) => fileIdentity(world, where, part)));
  return { id: file.id, bytes: further.reduce((sum, part) => sum + (part?.bytes ?? 0), file.bytes) };
}

/** "m-00002-of-00003.gguf" and the one after it, of a model that is named by its first part. */
function furtherParts(path: string): string[] {
  const [, stem, count, end] = /^(.*-)0*1-of-(\d{5})(\.gguf)$/i.exec(path) ?? [];
  return Array.from(
    { length: Math.min(Number(count ?? 1), 1000) - 1 },
    (_, at) => `${stem}${String(at + 2).padStart(5, '0')}-of-${count}${end}`,
  );
}
