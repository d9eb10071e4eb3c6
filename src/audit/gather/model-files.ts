import { dirname, resolve } from 'node:path/posix';
import type { ObservedHost } from '../../domain/audit/observation.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { readLink } from '../../io/procfs/read.ts';
import type { World } from '../../io/world.ts';

const mostFolders = 20;
const mostFiles = 500;

/** Model files in the folders of those that are served, as those who serve them see them. */
export async function modelFilesBeside(
  world: World,
  servers: readonly ScannedServer[],
): Promise<ObservedHost['modelFiles']> {
  const served = servers.flatMap(({ model, process: { pid } }) =>
    model !== null && /\.gguf$/i.test(model) ? [{ model, pid }] : [],
  );
  const cwds = await cwdsOf(
    world,
    served.flatMap(({ model, pid }) => (model.startsWith('/') ? [] : [pid])),
  );
  const folders = new Map(
    served.flatMap(({ model, pid }) => {
      const cwd = model.startsWith('/') ? '/' : cwds.get(pid);
      return cwd === undefined ? [] : [[dirname(resolve(cwd, model)), pid] as const];
    }),
  );
  const found = await Promise.all(
    [...folders].slice(0, mostFolders).map(([folder, pid]) => filesIn(world, folder, pid)),
  );
  return [...new Map(found.flat().map((one) => [one.id, one])).values()];
}

/** The folders that these processes are in, as far as rights show them. */
async function cwdsOf(world: World, pids: readonly number[]): Promise<Map<number, string>> {
  if (pids.length === 0) return new Map();
  const proc = await world.procfs(pids);
  return new Map(
    pids.flatMap((pid) => {
      const cwd = readLink(proc, `${pid}/cwd`);
      return cwd === null ? [] : [[pid, cwd] as const];
    }),
  );
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
