import { hasFlag } from '../../domain/command-line/flags.ts';
import type { Unwrapped } from '../../domain/command-line/unwrap.ts';

/** A llama-server that was given no model of its own, but a folder or a list of them, or nothing: then it has what it once fetched. */
export function isRouter(
  { program, args, env }: Unwrapped,
  inherited: Readonly<Record<string, string>> | null,
): boolean {
  const all = { ...inherited, ...env };
  if (
    hasFlag(args, '-m', '--model', '-hf', '-hfr', '--hf-repo', '-mu', '--model-url', '-dr', '--docker-repo')
  )
    return false;
  const named = ['LLAMA_ARG_MODEL', 'LLAMA_ARG_HF_REPO', 'LLAMA_ARG_MODEL_URL', 'LLAMA_ARG_DOCKER_REPO'];
  if (named.some((name) => all[name])) return false;
  // Some flags name a model of theirs, such as --fim-qwen-7b-default.
  if (args.some((word) => /^--[\w.-]+-default$/.test(word))) return false;
  return (
    (inherited !== null && /^llama(-server)?$/.test(program)) ||
    hasFlag(args, '--models-dir', '--models-preset', '--models-max') ||
    Boolean(all['LLAMA_ARG_MODELS_DIR'] ?? all['LLAMA_ARG_MODELS_PRESET'])
  );
}
