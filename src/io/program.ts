import { fileURLToPath } from 'node:url';

/** Entry points of our own processes, under src/programs. Started by path, imported by no one. */
export type ProgramName = 'gateway' | 'embedded' | 'bench-worker' | 'bench-watch' | 'pacer' | 'truth-server';

/** Runs from sources (type stripping) and from the build alike: the extension is that of this very file. */
export function programPath(name: ProgramName): string {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
  return fileURLToPath(new URL(`../programs/${name}${extension}`, import.meta.url));
}

/**
 * What V8 is told before it starts. A collection of the young generation takes as long as what it finds alive, and all
 * streams of a gateway wait for it: a quarter of the usual size shortens the longest, and costs no more on the whole.
 * V8 also remembers of each place in the code whether what it makes lives long, and then makes it there in the old
 * generation for good. Long streams and small requests pass the same places: after some hundred streams a small request
 * would cost a third more from then on.
 * V8's helper threads for garbage cost more than they save where a gateway has one core, as it is meant to: with 2,000
 * streams they make one event of a hundred 10 ms late. And a heap that starts small is collected whole, again and again,
 * while the first streams come: it starts at what they need.
 */
export function programFlags(name: ProgramName): string[] {
  if (name !== 'gateway') return [];
  return [
    '--max-semi-space-size=4',
    '--no-allocation-site-pretenuring',
    '--single-threaded-gc',
    '--initial-old-space-size=64',
  ];
}

/** The command line that starts one of our programs on the Node that runs us. */
export function programArgv(name: ProgramName, args: readonly string[] = []): string[] {
  return [process.execPath, ...programFlags(name), programPath(name), ...args];
}
