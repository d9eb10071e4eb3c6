import { resolve } from 'node:path/posix';
import type { ProcessEntry } from '../domain/process-facts.ts';
import { isOpen } from '../io/open-to-all.ts';
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
