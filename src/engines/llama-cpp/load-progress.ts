/** One dot is written for each percent of the tensors. */
const dots = /^\.+$/gm;

/** What llama-server writes while it loads: dots in builds and at levels that print them, then that the model is loaded. */
export function loadProgress(output: string): number | null {
  if (/model loaded/.test(output)) return 1;
  const longest = Math.max(0, ...[...output.matchAll(dots)].map(([run]) => run.length));
  return longest === 0 ? null : Math.min(0.99, longest / 100);
}
