/** Base64 within a body: how many pieces, and their bytes. */
export interface Attachments {
  count: number;
  bytes: number;
}

const urlMark = Buffer.from(';base64,');
const dataKey = Buffer.from('"data"');
const quote = 34;
const colon = 58;
const semicolon = 59;
/** A shorter piece without a mark makes little difference, whatever it is taken for. */
const least = 4096;
/** So many bytes at both ends tell base64 from words. */
const looked = 256;

/** Images, sounds and files: those in data URLs, and those that are base64 alone, as Anthropic's images and OpenAI's sounds are. */
export function attachmentsOf(body: Buffer): Attachments {
  const found = { count: 0, bytes: 0 };
  let from = 0;
  // Most bodies have not even the first byte of it, and a single one is found for a fraction of the price.
  const first = body.indexOf(semicolon);
  for (let at = first < 0 ? -1 : body.indexOf(urlMark, first); at >= 0; at = body.indexOf(urlMark, from)) {
    const end = body.indexOf(quote, at);
    if (end < 0) break;
    addUnmarked(body.subarray(from, at), found);
    add(found, end - at);
    from = end;
  }
  addUnmarked(body.subarray(from), found);
  return found;
}

/** The values of `data`, which may be text as well. */
function addUnmarked(piece: Buffer, found: Attachments): void {
  if (piece.length < least) return;
  let from = 0;
  for (let at = piece.indexOf(dataKey); at >= 0; at = piece.indexOf(dataKey, from)) {
    from = at + dataKey.length;
    const colonAt = skipSpace(piece, from);
    const start = skipSpace(piece, colonAt + 1) + 1;
    if (piece[colonAt] !== colon || piece[start - 1] !== quote) continue;
    const end = piece.indexOf(quote, start);
    if (end < 0) return;
    from = end;
    if (end - start >= least && isBase64(piece.subarray(start, end))) add(found, end - start);
  }
}

function add(found: Attachments, bytes: number): void {
  found.count += 1;
  found.bytes += bytes;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  for (let code = bytes[at]; code === 32 || (code !== undefined && code >= 9 && code <= 13); code = bytes[at])
    at += 1;
  return at;
}

/** A slash may be written with a backslash. */
function isBase64(value: Buffer): boolean {
  const ends = value.toString('latin1', 0, looked) + value.toString('latin1', value.length - looked);
  return /^[\w+/=\\-]+$/.test(ends);
}
