/** Unit files as text: sections with keys that may stand several times. Pure. */
export type Section = readonly (readonly [key: string, value: string])[];
export type UnitText = readonly (readonly [section: string, keys: Section])[];

/** A unit file has no comments after a value: what follows a value is part of it. */
export function writeUnit(unit: UnitText, comment: string): string {
  const sections = unit.filter(([, keys]) => keys.length > 0);
  const texts = sections.map(
    ([name, keys]) => `[${name}]\n${keys.map(([key, value]) => `${key}=${value}\n`).join('')}`,
  );
  return `# ${comment}\n${texts.join('\n')}`;
}

/** Stands at the head of the files that an apply writes, and says whose they are. */
export const ownComment =
  'Written by berth; what you change goes into a drop-in of your own, which berth leaves alone.';

export function isWrittenByBerth(text: string): boolean {
  return text.startsWith(`# ${ownComment}\n`);
}

/** Reads what systemd would: continued lines are joined, comments left out. Keys before any section are left out too. */
export function readUnit(text: string): UnitText {
  const sections: [string, [string, string][]][] = [];
  const joined = text.replaceAll(/\\\n([ \t]*[#;].*\n)*/g, ' ');
  for (const line of joined.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) sections.push([section, []]);
    const at = line.indexOf('=');
    if (section === undefined && at > 0)
      sections.at(-1)?.[1].push([line.slice(0, at).trimEnd(), line.slice(at + 1).trimStart()]);
  }
  return sections;
}

/** All values of a key, in order. */
export function valuesOf(unit: UnitText, section: string, key: string): string[] {
  return unit.flatMap(([name, keys]) =>
    name === section ? keys.flatMap(([one, value]) => (one === key ? [value] : [])) : [],
  );
}

/** Of the values of a key that adds up: an empty one forgets those before it. */
export function inForce(values: readonly string[]): readonly string[] {
  return values.slice(values.lastIndexOf('') + 1);
}

/** One word of a command line in a unit: specifiers (%) and variables ($) are written as themselves. */
export function quoteWord(word: string): string {
  return `"${escapeText(word).replaceAll('$', '$$$$')}"`;
}

/** Text inside quotes in which systemd expands nothing but what `kept` puts back. */
export function escapeText(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll('%', '%%');
}
