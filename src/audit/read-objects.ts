import { basename, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import type { ObservedCluster } from '../domain/audit/observation.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import type { World } from '../io/world.ts';
import { withoutSecrets } from './gather/without-secrets.ts';

const Plain = z.record(z.string(), z.unknown());
const List = z.object({ kind: z.string().endsWith('List'), items: z.array(Plain) });

/** Objects of Kubernetes from a file: a List as kubectl prints it, or manifests one after the other. "-" is the standard input. */
export async function readObjects(
  { world, cwd }: { world: Pick<World, 'files'>; cwd: string },
  file: string,
): Promise<ObservedCluster> {
  const path = file === '-' ? '/dev/stdin' : resolve(cwd, file);
  const text = await world.files.read(path);
  if (text === null)
    throw new BerthError('FILE_MISSING', { path, what: 'list of objects' }, { exit: 'usage' });
  return {
    name: file === '-' ? 'standard input' : basename(file),
    reach: null,
    objects: withoutSecrets(objectsIn(text, path)),
    unseen: [],
  };
}

/** Throws OBJECTS_UNREADABLE for what is neither JSON nor YAML. */
export function objectsIn(text: string, path: string): Record<string, unknown>[] {
  const documents = parseAllDocuments(text);
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error)
      throw new BerthError('OBJECTS_UNREADABLE', { path, reason: error.message.split('\n')[0] ?? '' });
    const value: unknown = document.toJS();
    const list = List.safeParse(value).data;
    return list ? list.items : [Plain.safeParse(value).data ?? []].flat();
  });
}
