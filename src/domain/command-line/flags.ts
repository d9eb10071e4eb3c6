/** The value of a flag in any of its spellings, as "--name value" or "--name=value"; the last one wins, as servers do. */
export function flagValue(args: readonly string[], ...names: string[]): string | null {
  for (let at = args.length - 1; at >= 0; at -= 1) {
    const word = args[at] as string;
    if (names.includes(word)) return args[at + 1] ?? null;
    const name = names.find((candidate) => word.startsWith(`${candidate}=`));
    if (name !== undefined) return word.slice(name.length + 1);
  }
  return null;
}

export function hasFlag(args: readonly string[], ...names: string[]): boolean {
  return args.some((word) => names.some((name) => word === name || word.startsWith(`${name}=`)));
}

/** A whole number, else null. */
export function flagNumber(args: readonly string[], ...names: string[]): number | null {
  return toNumber(flagValue(args, ...names));
}

export function toNumber(text: string | null | undefined): number | null {
  return text !== null && text !== undefined && /^-?\d+$/.test(text.trim()) ? Number(text) : null;
}

/** The first word that is no flag and no value of one; `switches` are the flags that take no value. */
export function firstOperand(args: readonly string[], switches: readonly string[] = []): string | null {
  for (let at = 0; at < args.length; at += 1) {
    const word = args[at] as string;
    if (!word.startsWith('-')) return word;
    if (!word.includes('=') && !switches.includes(word)) at += 1;
  }
  return null;
}

/** "0.0.0.0:8080", ":8080", "[::1]:80", "http://host:80" and "host" as servers take them. */
export function parseHostPort(text: string | null): { host: string | null; port: number | null } {
  const bare = (text ?? '').replace(/^[a-z]+:\/\//, '').replace(/\/.*$/, '');
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(bare);
  const host = match?.[1]?.replace(/^\[|\]$/g, '') ?? '';
  return { host: host === '' ? null : host, port: toNumber(match?.[2]) };
}
