/** Undefined: it is no JSON. For texts of others; what is ours is parsed by its schema and has an error of its own. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
