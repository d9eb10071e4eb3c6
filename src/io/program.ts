import { fileURLToPath } from 'node:url';

/** Entry points of our own processes, under src/programs. Started by path, imported by no one. */
export type ProgramName = 'gateway' | 'embedded' | 'bench-worker' | 'bench-watch' | 'pacer' | 'truth-server';

/** Runs from sources (type stripping) and from the build alike: the extension is that of this very file. */
export function programPath(name: ProgramName): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`../programs/${name}${extension}`, import.meta.url));
}

/** The command line that starts one of our programs on the Node that runs us. */
export function programArgv(name: ProgramName, args: readonly string[] = []): string[] {
  return [process.execPath, programPath(name), ...args];
}
