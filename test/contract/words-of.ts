/** The words of a line as a shell would split it: quotes are taken off, and nothing within them is changed but an escaped quote. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(
      /'([^']*)'|"((?:\\.|[^"\\])*)"/g,
      (_all, single?: string, double?: string) => single ?? (double ?? '').replaceAll(/\\(.)/gs, '$1'),
    ),
  );
}
