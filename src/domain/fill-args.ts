import type { Arg, Hole } from './launch-spec.ts';

/** The text of one argument, with every hole filled by the target. */
export function fillArg(arg: Arg, fill: (hole: Hole) => string): string {
  if (typeof arg === 'string') return arg;
  if ('hole' in arg) return fill(arg);
  return arg.parts.map((part) => (typeof part === 'string' ? part : fill(part))).join('');
}

export function fillArgs(args: readonly Arg[], fill: (hole: Hole) => string): string[] {
  return args.map((arg) => fillArg(arg, fill));
}
