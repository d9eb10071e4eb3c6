/** Where a value lies in the body: from its first byte to after its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Why a body cannot be taken for a JSON object; the message is for the client. */
export class ScanFault extends Error {
  override readonly name = 'ScanFault';
}

const quote = 34;
const backslash = 92;
const comma = 44;
const colon = 58;
const openBracket = 91;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;
const maxDepth = 1000;
/** Python writes NaN and Infinity, and engines in Python read them. */
const literal = /^(?:true|false|null|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/**
 * Finds the values of the wanted top-level keys of a JSON object, byte by byte, without building it: what is not wanted
 * is skipped and later forwarded as it came. Keys are compared as an engine's parser would see them (escapes decoded);
 * a wanted key that occurs twice, or once more in other letter case, is a fault, since engines disagree on which one
 * counts (parsers of Go match names in any case). Nested values are checked for balance only: the engine judges the rest.
 */
export function scanObject(body: Buffer, wanted: readonly string[]): Map<string, Span> {
  const spans = new Int32Array(2 * wanted.length);
  scanInto(spans, body, wanted);
  const found = new Map<string, Span>();
  for (const [i, key] of wanted.entries()) {
    const start = spans[2 * i] as number;
    if (start >= 0) found.set(key, { start, end: spans[2 * i + 1] as number });
  }
  return found;
}

/**
 * The same for who asks it of every request: start and end of each wanted value in turn, -1 where there is none. Of the wanted from
 * `lax` on the last counts where several stand, as with most engines, and other letters make another key.
 */
export function scanInto(
  spans: Int32Array,
  body: Buffer,
  wanted: readonly string[],
  lax = wanted.length,
): void {
  spans.fill(-1);
  let at = skipSpace(body, 0);
  if (body[at] !== openBrace) throw new ScanFault('The body is not a JSON object.');
  at = skipSpace(body, at + 1);
  while (body[at] !== closeBrace) {
    if (body[at] !== quote) throw broken(at);
    const keyEnd = skipString(body, at);
    const key = wantedAt(body, at, keyEnd, wanted, lax);
    at = skipSpace(body, keyEnd);
    if (body[at] !== colon) throw broken(at);
    const start = skipSpace(body, at + 1);
    const end = skipValue(body, start);
    if (key >= 0) {
      if (key < lax && (spans[2 * key] as number) >= 0)
        throw new ScanFault(`The key "${wanted[key]}" occurs more than once.`);
      spans[2 * key] = start;
      spans[2 * key + 1] = end;
    }
    at = skipSpace(body, end);
    if (body[at] === comma) {
      at = skipSpace(body, at + 1);
      if (body[at] === closeBrace) throw broken(at);
    } else if (body[at] !== closeBrace) throw broken(at);
  }
  at = skipSpace(body, at + 1);
  if (at < body.length) throw broken(at);
}

/** How many prompts this is: those of a list, but for one with a number in it, which is one of tokens. The body has been scanned. */
export function countPrompts(body: Buffer, { start, end }: Span): number {
  if (body[start] !== openBracket) return 1;
  let at = skipSpace(body, start + 1);
  let count = 0;
  while (at < end - 1) {
    const first = body[at] as number;
    if (first !== quote && first !== openBracket && first !== openBrace) return 1;
    at = skipSpace(body, skipValue(body, at));
    count += 1;
    if (body[at] === comma) at = skipSpace(body, at + 1);
  }
  return count;
}

/** Which of the wanted keys this one, quotes included, is; -1 for none. No text is made of plain ones: most keys of most bodies are not wanted. */
function wantedAt(body: Buffer, start: number, end: number, wanted: readonly string[], lax: number): number {
  if (isPlain(body, start + 1, end - 1)) {
    for (let i = 0; i < wanted.length; i += 1) {
      const key = wanted[i] as string;
      if (key.length === end - start - 2 && isAt(body, start + 1, key)) return i;
    }
    return -1;
  }
  const key = keyText(body, start, end);
  const at = wanted.indexOf(key);
  const meant = at < 0 ? wanted.indexOf(folded(key)) : -1;
  if (meant >= 0 && meant < lax) throw new ScanFault(`The key "${key}" must be written in small letters.`);
  return at;
}

function isAt(body: Buffer, start: number, key: string): boolean {
  for (let i = 0; i < key.length; i += 1) if (body[start + i] !== key.charCodeAt(i)) return false;
  return true;
}

/** As parsers of Go compare names: they take the long s for an s, too. */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase();
}

function broken(at: number): ScanFault {
  return new ScanFault(`The body is not valid JSON (at byte ${at}).`);
}

/** Small letters of ASCII, digits and signs only: it stands for itself, and for nothing in other letter case. */
function isPlain(body: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = body[at] as number;
    if (byte >= 127 || byte === backslash || (byte >= 65 && byte <= 90)) return false;
  }
  return true;
}

function keyText(body: Buffer, start: number, end: number): string {
  const text = body.toString('utf8', start + 1, end - 1);
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw broken(start);
  }
}

function skipSpace(body: Buffer, from: number): number {
  let at = from;
  for (let byte = body[at]; byte === 32 || byte === 10 || byte === 13 || byte === 9; byte = body[at]) at += 1;
  return at;
}

/** `from` is at the opening quote; returns the offset after the closing one. */
function skipString(body: Buffer, from: number): number {
  // Short strings by hand, long ones (prompts, images) by the native search.
  const near = Math.min(from + 64, body.length);
  let at = from + 1;
  while (at < near) {
    const byte = body[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  for (;;) {
    const end = body.indexOf(quote, at);
    if (end < 0) throw new ScanFault('The body ends inside a string.');
    let escapes = 0;
    while (end - 1 - escapes >= at && body[end - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
    at = end + 1;
  }
}

function skipValue(body: Buffer, from: number): number {
  const first = body[from];
  if (first === quote) return skipString(body, from);
  if (first === openBrace || first === openBracket) return skipNested(body, from);
  let end = from;
  while (end < body.length && isLiteralByte(body[end] as number)) end += 1;
  if (isCount(body, from, end)) return end;
  if (end - from > 400 || !literal.test(body.toString('latin1', from, end))) throw broken(from);
  return end;
}

/** A whole number as most are written: nothing that the pattern would have to judge. */
function isCount(body: Buffer, from: number, end: number): boolean {
  if (end === from || body[from] === 48) return false;
  for (let at = from; at < end; at += 1) {
    const byte = body[at] as number;
    if (byte < 48 || byte > 57) return false;
  }
  return end - from < 16;
}

/** What closes each level that is open; one list for all scans, as they are done one after the other. */
const closers = new Uint8Array(maxDepth);

function skipNested(body: Buffer, from: number): number {
  let depth = 0;
  let at = from;
  while (at < body.length) {
    const byte = body[at] as number;
    if (byte === quote) {
      at = skipString(body, at);
      continue;
    }
    at += 1;
    if (byte === openBrace || byte === openBracket) {
      if (depth === maxDepth) throw new ScanFault('The body is nested too deeply.');
      closers[depth] = byte === openBrace ? closeBrace : closeBracket;
      depth += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      depth -= 1;
      if (closers[depth] !== byte) throw broken(at - 1);
      if (depth === 0) return at;
    }
  }
  throw new ScanFault('The body ends inside an object or array.');
}

/** Letters, digits, sign, point: what numbers and the three words are made of. */
function isLiteralByte(byte: number): boolean {
  return (
    (byte >= 48 && byte <= 57) ||
    (byte >= 97 && byte <= 122) ||
    byte === 43 ||
    byte === 45 ||
    byte === 46 ||
    byte === 69 ||
    // NaN and Infinity.
    byte === 73 ||
    byte === 78
  );
}
