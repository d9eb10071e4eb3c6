/** All values of a header, in order. `raw`: names, in any letter case, and values in turn; `name` in small letters. */
export function headerValues(raw: readonly string[], name: string): string[] {
  return raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name);
}
