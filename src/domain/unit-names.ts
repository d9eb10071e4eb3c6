/** "llama@.service" of "llama@kimi.service", and the name itself where it is of no instance. Pure. */
export function templateOf(unit: string): string {
  return unit.replace(/@[^@]*(\.\w+)$/, '@$1');
}

/** Names whose folders of changes count for all units that begin so, the longest first: "a-b-.service" and "a-.service" of "a-b-c.service". Pure. */
export function prefixesOf(unit: string): string[] {
  const [, stem = '', type = ''] = /^(.*?)@?(\.\w+)$/s.exec(unit) ?? [];
  const dashes = stem.split('').flatMap((letter, at) => (letter === '-' && at < stem.length - 1 ? [at] : []));
  return dashes.toReversed().map((at) => `${stem.slice(0, at + 1)}${type}`);
}

/** What the percent signs of a unit file stand for that follow from the unit's name alone, letter by letter. Pure. */
export function nameSpecifiers(unit: string): Readonly<Record<string, string>> {
  const name = unit.replace(/\.\w+$/, '');
  const at = name.indexOf('@');
  const [prefix, instance] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
  return {
    n: unit,
    N: name,
    p: prefix,
    P: unescapeName(prefix),
    i: instance,
    I: unescapeName(instance),
    j: prefix.slice(prefix.lastIndexOf('-') + 1),
    f: `/${unescapeName(instance === '' ? prefix : instance)}`,
  };
}

/** As systemd-escape writes them: "-" is a slash, and "\x2d" the character itself. */
function unescapeName(name: string): string {
  return name
    .replaceAll('-', '/')
    .replaceAll(/\\x([0-9a-f]{2})/gi, (_whole, code: string) =>
      String.fromCharCode(Number.parseInt(code, 16)),
    );
}
