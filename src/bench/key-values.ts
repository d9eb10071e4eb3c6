/**
 * "kind=poisson,rates=[1,5]" as other tools write it, or the same as a JSON object. Commas inside brackets belong to a
 * value. `refuse` makes the error of a part that is no key=value.
 */
export function readPairs(text: string, refuse: (reason: string) => Error): Record<string, unknown> {
  const trimmed = text.trim();
  if (trimmed.startsWith('{')) return objectOf(trimmed, refuse);
  const pairs: Record<string, unknown> = {};
  for (const part of parts(trimmed)) {
    const [, key, value] = /^\s*([\w.-]+)\s*=(.*)$/s.exec(part) ?? [];
    if (key === undefined || value === undefined) throw refuse(`"${part.trim()}" is no key=value`);
    pairs[key] = valueOf(value.trim(), refuse);
  }
  return pairs;
}

function objectOf(text: string, refuse: (reason: string) => Error): Record<string, unknown> {
  const value = parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(`"${text}" is not JSON`);
  return value as Record<string, unknown>;
}

function parts(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const letter = text[at];
    if (letter === '[' || letter === '{') depth += 1;
    if (letter === ']' || letter === '}') depth -= 1;
    if (letter !== undefined && (letter !== ',' || depth > 0)) continue;
    if (text.slice(from, at).trim() !== '') found.push(text.slice(from, at));
    from = at + 1;
  }
  return found;
}

/** Numbers, true and false, lists and objects; all else is text. */
function valueOf(text: string, refuse: (reason: string) => Error): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^-?\d*\.?\d+(?:e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (!/^[[{]/.test(text)) return text;
  const value = parse(text);
  if (value === undefined) throw refuse(`"${text}" is no list of numbers and no JSON`);
  return value;
}

/** JSON, also with keys and words that lack their quotes, which shells eat. */
function parse(text: string): unknown {
  const quoted = text.replaceAll(/([{,[]\s*)([A-Za-z_][\w-]*)\s*(?=:)/g, '$1"$2"').replaceAll("'", '"');
  for (const attempt of [text, quoted]) {
    try {
      return JSON.parse(attempt) as unknown;
    } catch {
      // The next way of writing it.
    }
  }
  return undefined;
}
