import { fillArgs } from '../../domain/fill-args.ts';
import type { Arg, Hole, LaunchSpec } from '../../domain/launch-spec.ts';
import { isOnlyNamed } from './options.ts';
import type { KserveOptions } from './options.ts';
import { fillerOf, modelFolder } from './storage.ts';

type Way = Pick<KserveOptions, 'runtime' | 'connection' | 'serviceAccount'>;

/**
 * What a service says behind the arguments of its runtime. A runtime that berth makes has none of its own, so that services with
 * models of any form can share it. One that is only named starts the engine itself: what says how is left to it.
 */
export function engineArgs(spec: LaunchSpec, options: Way): string[] {
  const fill = fillerOf(spec, options);
  // The words of a command are the user's own, and nobody else knows what they are.
  if (!isOnlyNamed(options) || spec.engine === 'command') return fillArgs(spec.args, fill);
  const flags = spec.args.findIndex(isFlag);
  const before = flags < 0 ? spec.args : spec.args.slice(0, flags);
  const [, model] = fillArgs(before, fill);
  const rest = flags < 0 ? [] : pairsOf(spec.args.slice(flags));
  const added = rest.filter(([, value]) => !isOfRuntime(value, fill));
  return [
    // Behind a module of Python a model has no place of its own, as it has behind a subcommand.
    ...(model === undefined || model === modelFolder ? [] : ['--model', model]),
    ...added.flatMap((words) => fillArgs(words, fill)),
  ];
}

function isFlag(arg: Arg): boolean {
  return typeof arg === 'string' && arg.startsWith('-');
}

/** Each flag with what follows it. */
function pairsOf(args: readonly Arg[]): Arg[][] {
  const pairs: Arg[][] = [];
  for (const arg of args) {
    const last = pairs.at(-1);
    if (last && !isFlag(arg)) last.push(arg);
    else pairs.push([arg]);
  }
  return pairs;
}

/** Where it listens, and the folder of models where KServe has it. */
function isOfRuntime(value: Arg | undefined, fill: (hole: Hole) => string): boolean {
  if (typeof value !== 'object' || !('hole' in value)) return false;
  if (value.hole === 'model') return fill(value) === modelFolder;
  return value.hole === 'host' || value.hole === 'port';
}
