import { flagName } from '../../domain/command-line/flag-rows.ts';
import { hasFlag } from '../../domain/command-line/flags.ts';
import type { Unwrapped } from '../../domain/command-line/unwrap.ts';
import type { ProcessFacts } from '../../domain/process-facts.ts';
import { modelFlags, modelVariables, spelled } from './model-flags.ts';

/**
 * A llama-server that was given no model of its own, but a folder or a list of them, or nothing: then it has what it once fetched.
 * A model that nobody here can see is none that is not there: where words or variables do not show, it is no router.
 */
export function isRouter(
  { program, args, env }: Unwrapped,
  { env: inherited, partialEnv }: Pick<ProcessFacts, 'env' | 'partialEnv'>,
): boolean {
  const all = { ...inherited, ...env };
  const names = args.map((word) => flagName(word, spelled));
  if (names.some((name) => modelFlags.includes(name))) return false;
  // Of a variable from an object of a cluster only the name shows.
  if (['LLAMA_ARG_MODEL', ...modelVariables].some((name) => Object.hasOwn(all, name))) return false;
  // Some flags name a model of theirs, such as --fim-qwen-7b-default.
  if (names.some((name) => /^--[\w.-]+-default$/.test(name))) return false;
  if (
    hasFlag(names, '--models-dir', '--models-preset', '--models-max') ||
    Boolean(all['LLAMA_ARG_MODELS_DIR'] ?? all['LLAMA_ARG_MODELS_PRESET'])
  )
    return true;
  const showsAll = inherited !== null && partialEnv !== true && !args.some((word) => word.includes('$'));
  return showsAll && /^llama(-server)?$/.test(program);
}
