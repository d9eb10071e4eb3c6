import { flagValue } from './command-line/flags.ts';

/**
 * What a server does with its model: one that reads prompts beside one that writes answers, or embeds, is no second one. Empty: it
 * writes answers. Pure.
 */
export function roleOf({
  command,
  options,
}: {
  readonly command: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}): string {
  if (options['embeddings'] === true) return 'embeddings';
  if (options['rerank'] === true) return 'rerank';
  const transfer = /"kv_role"\s*:\s*"(\w+)"/.exec(command.join(' '))?.[1];
  return transfer ?? flagValue(command, '--disaggregation-mode', '--runner', '--task') ?? '';
}
