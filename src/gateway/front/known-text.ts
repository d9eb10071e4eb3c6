/** Few clients ask for more models than this in turn. */
const mostKept = 16;
const mostBytes = 128;

const kept: string[] = [];
let oldest = 0;

/**
 * The ASCII text of these bytes; where they are those of one of the latest texts, that one itself. The few names that all
 * requests hold need not be made, nor hashed when they are looked up, once more for each.
 */
export function knownText(bytes: Buffer, start: number, end: number): string {
  for (const text of kept) if (isText(bytes, start, end, text)) return text;
  const text = bytes.toString('latin1', start, end);
  if (text.length > mostBytes) return text;
  kept[oldest] = text;
  oldest = (oldest + 1) % mostKept;
  return text;
}

function isText(bytes: Buffer, start: number, end: number, text: string): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i += 1) if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}
