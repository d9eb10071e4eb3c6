const item = /(?:"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?|\\.|[^\s"'\\])+/gsu;

/**
 * The words of a value as systemd reads it: blanks divide, both kinds of quotes join, and a backslash means in them what it means
 * outside. No other sign has a meaning, as it has for a shell. Pure.
 */
export function unitWords(value: string): string[] {
  return [...value.matchAll(item)].map(([word]) => plain(word));
}

/** Those of each command of "ExecStart=": a ";" by itself begins another. */
export function commandsIn(value: string): string[][] {
  const commands: string[][] = [[]];
  for (const [word] of value.matchAll(item))
    if (word === ';') commands.push([]);
    else commands.at(-1)?.push(plain(word));
  return commands;
}

const signs: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', s: ' ' };

function plain(word: string): string {
  return word.replaceAll(
    /"((?:\\.|[^"\\])*)"?|'((?:\\.|[^'\\])*)'?|(\\x[0-9a-f]{2}|\\.)/gisu,
    (_, double?: string, single?: string, escaped?: string) => escapesIn(double ?? single ?? escaped ?? ''),
  );
}

/** What stands for no sign stays as it is written. */
function escapesIn(text: string): string {
  return text.replaceAll(/\\(?:x([0-9a-f]{2})|(.))/gisu, (whole, code?: string, letter?: string) => {
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
    if (letter !== undefined && /["'\\;$ ]/.test(letter)) return letter;
    return signs[letter ?? ''] ?? whole;
  });
}
