/** What images of model servers run when they are given arguments alone, by their names. */
const programs: readonly (readonly [RegExp, readonly string[]])[] = [
  [/(^|\/)llama\.cpp:(server|full)|llama-?cpp[-_/]?server|(^|\/)llama-server(:|$)/i, ['llama-server']],
  [/(^|\/)vllm(-openai)?([-:@]|$)|vllm-(cuda|rocm|cpu)/i, ['vllm', 'serve']],
  [/(^|\/)ollama(:|@|$)/i, ['ollama']],
  [/(^|\/)sglang(:|@|$)/i, ['python3', '-m', 'sglang.launch_server']],
  [/text-generation-inference/i, ['text-generation-launcher']],
  [/text-embeddings-inference/i, ['text-embeddings-router']],
  [/(^|\/)infinity(:|@|$)/i, ['infinity_emb']],
];

/** The command line that a container runs: its own command, or its image's program, and its arguments. */
export function containerCommand(
  image: string | null,
  command: readonly string[],
  args: readonly string[],
): string[] {
  if (command.length > 0) return [...command, ...args];
  const program = programs.find(([pattern]) => pattern.test(image ?? ''))?.[1] ?? [];
  const [first] = args;
  const named = first !== undefined && program.includes(first);
  // "vllm/vllm-openai serve MODEL" and "ollama serve" say part of it again.
  return named ? [...program.slice(0, program.indexOf(first)), ...args] : [...program, ...args];
}
