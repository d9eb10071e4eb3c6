import type { World } from '../../io/world.ts';

/** Where paths of a host lead in the end, by the path; those that lead nowhere are left out. */
export async function realPaths(world: World, paths: readonly string[]): Promise<Map<string, string>> {
  const script = 'for path; do readlink -f -- "$path" || echo; done';
  const { stdout } = await world.exec.run(['sh', '-c', script, 'sh', ...paths], { timeoutMs: 10_000 });
  const lines = stdout.split('\n');
  return new Map(
    paths.flatMap((path, at) => {
      const real = lines[at] ?? '';
      return real === '' ? [] : [[path, real] as const];
    }),
  );
}
