/** Engines whose workers their server starts; those of others (Dynamo, FastChat) are started one by one, as servers are. */
const forking: readonly string[] = ['vllm', 'sglang', 'tgi', 'ollama'];

/** Whether a worker of this engine has a server that started it: one without is left over. */
export function areForked(engine: string): boolean {
  return forking.includes(engine);
}
