/**
 * What is run before the arguments, as `entrypoint` takes it. Null for a module or a script of Python, which take other arguments
 * than the engine's program that berth starts ("serve MODEL" for vLLM): then the program of the image is the one. Pure.
 */
export function engineProgram(before: readonly string[]): readonly string[] | null {
  const last = before.at(-1) ?? '';
  return before.at(-2) === '-m' || /^-m\w/.test(last) || last.endsWith('.py') ? null : before;
}
