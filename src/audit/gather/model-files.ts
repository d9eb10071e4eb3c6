import { dirname } from 'node:path/posix';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { World } from '../../io/world.ts';

const mostFolders = 20;
const mostFiles = 500;

/** Model files in the folders of those that are served, as those who serve them see them. */
export async function modelFilesBeside(
  world: World,
  servers: readonly ScannedServer[],
): Promise<ObservedHost['modelFiles']> {
  const folders = new Map(
    servers
      .filter(({ model }) => model?.startsWith('/') && /\.gguf$/i.test(model))
      .map(({ model, process }) => [dirname(model ?? ''), process.pid] as const),
  );
  const found = await Promise.all(
    [...folders].slice(0, mostFolders).map(([folder, pid]) => filesIn(world, folder, pid)),
  );
  return [...new Map(found.flat().map((one) => [one.id, one])).values()];
}

async function filesIn(
  { files, proc }: World,
  folder: string,
  pid: number,
): Promise<ObservedHost['modelFiles']> {
  const root = `${proc}/${pid}/root`;
  const names = (await files.list(`${root}${folder}`).catch(() => [])).filter((name) =>
    /\.gguf$/i.test(name),
  );
  const found = await Promise.all(
    names.slice(0, mostFiles).map(async (name) => {
      const stat = await files.stat(`${root}${folder}/${name}`).catch(() => null);
      return stat?.isFile ? [{ path: `${folder}/${name}`, id: stat.id, bytes: stat.size }] : [];
    }),
  );
  return found.flat();
}
