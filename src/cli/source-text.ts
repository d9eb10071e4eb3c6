/** An address, in place of a path or of a name in the fleet file. */
export function isSource(text: string): boolean {
  return /^[a-z0-9]+:\/\//.test(text);
}
