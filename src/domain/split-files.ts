const pattern = /^(.*)-(\d{5})-of-(\d{5})\.(gguf|safetensors)$/;

/** All names of a split model of which `name` is one part, in order; a file that is not split is its own set. */
export function splitSet(name: string): string[] {
  const found = pattern.exec(name);
  if (!found) return [name];
  const [, stem, , last, kind] = found as unknown as [string, string, string, string, string];
  const count = Math.min(Number(last), 99_999);
  return Array.from(
    { length: count },
    (_, i) => `${stem}-${String(i + 1).padStart(5, '0')}-of-${last}.${kind}`,
  );
}

/** A model in several files is opened by the name of its first, and the others lie beside it. */
export function isOneOfSeveral(path: string): boolean {
  return splitSet(path).length > 1;
}
