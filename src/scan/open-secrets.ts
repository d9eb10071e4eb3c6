import { dirname, resolve } from 'node:path/posix';
import type { ProcessEntry } from '../domain/process-facts.ts';
import type { World } from '../io/world.ts';

const flag = /^--[\w-]*(key|token(?!izer)|secret|password)[\w-]*-?(file|path)(?:=(.*))?$/i;
const variable = /(KEY|TOKEN|SECRET|PASSWORD)_(FILE|PATH)$/;

/** Files of secrets that a process names and that every user of the machine can read, the folders above them counted in. */
export async function openSecrets(
  world: Pick<World, 'files' | 'proc'>,
  { pid, argv, env, cwd }: Pick<ProcessEntry, 'pid' | 'argv' | 'env' | 'cwd'>,
): Promise<string[]> {
  const flags = argv.flatMap((word, at) => {
    const match = flag.exec(word);
    return match ? [match[3] ?? argv[at + 1] ?? ''] : [];
  });
  const variables = Object.entries(env ?? {}).flatMap(([name, value]) =>
    variable.test(name) ? [value] : [],
  );
  const paths = [...new Set([...flags, ...variables])].filter((path) => path !== '');
  const open = await Promise.all(
    paths.map(async (path) => {
      const whole = resolve(cwd ?? '/', path);
      return (await isOpen(world, `${world.proc}/${pid}/root`, whole)) ? [whole] : [];
    }),
  );
  return open.flat();
}

/** Whether every user of the machine can read a file; `root` is where its own machine begins. */
export async function isOpen({ files }: Pick<World, 'files'>, root: string, path: string): Promise<boolean> {
  const found = await files.stat(`${root}${path}`).catch(() => null);
  if (!found?.isFile || !((found.mode ?? 0) & 0o004)) return false;
  for (let folder = dirname(path); folder !== '/'; folder = dirname(folder)) {
    const above = await files.stat(`${root}${folder}`).catch(() => null);
    if (!above || !((above.mode ?? 0) & 0o001)) return false;
  }
  return true;
}
