import { ScanFault } from './scan.ts';
import type { Span } from './scan.ts';

/** Far more parts than any form of these APIs has; each costs a look at its headers. */
const maxParts = 1000;
const maxPartHead = 8192;
/** As long as a model's name may be. */
const maxValue = 1024;

const lineBreak = Buffer.from('\r\n');
const headEnd = Buffer.from('\r\n\r\n');

/**
 * Finds one field of a multipart/form-data body (RFC 7578) without taking the form apart: files are skipped by a search
 * for the delimiter, and the bytes are forwarded as they came. Parsers of forms disagree on everything unusual, so that
 * what the gateway reads might not be what the engine reads: text before the first part, a field that occurs twice, a
 * name with escapes or in another notation are refused. `onField` is told the name of each field. Throws ScanFault; returns null when the
 * field is not there.
 */
export function scanForm(
  body: Buffer,
  contentType: string | undefined,
  wanted: string,
  onField: (name: string) => void,
): Span | null {
  const delimiter = Buffer.from(`\r\n--${boundaryOf(contentType)}`);
  const opening = delimiter.subarray(2);
  if (!body.subarray(0, opening.length).equals(opening))
    throw new ScanFault('The form does not begin with its boundary.');
  let found: Span | null = null;
  let at = opening.length;
  for (let part = 0; part < maxParts; part += 1) {
    if (isLast(body, at)) return found;
    if (!body.subarray(at, at + 2).equals(lineBreak)) throw broken(at);
    const end = body.indexOf(headEnd, at);
    if (end < 0 || end - at > maxPartHead) throw broken(at);
    const next = body.indexOf(delimiter, end + 2);
    if (next < 0) throw new ScanFault('The form ends inside a part.');
    if (next < end + 4) throw broken(end);
    const name = fieldName(body.toString('latin1', at + 2, end));
    onField(name);
    if (name.toUpperCase() === wanted.toUpperCase()) {
      if (found || name !== wanted) throw new ScanFault(`The field "${wanted}" occurs more than once.`);
      found = { start: end + 4, end: next };
      if (next - found.start > maxValue) throw broken(end);
    }
    at = next + delimiter.length;
  }
  throw new ScanFault('The form has too many parts.');
}

/** Two hyphens after the delimiter end the form; nothing but an empty line may follow. */
function isLast(body: Buffer, at: number): boolean {
  if (body[at] !== 45 || body[at + 1] !== 45) return false;
  if (!/^(?:\r\n)*$/.test(body.toString('latin1', at + 2, at + 16)) || body.length > at + 16)
    throw broken(at);
  return true;
}

function broken(at: number): ScanFault {
  return new ScanFault(`The body is not a valid multipart form (at byte ${at}).`);
}

/** One boundary of the letters that RFC 2046 allows. */
function boundaryOf(contentType: string | undefined): string {
  const [type = '', ...parameters] = (contentType ?? '').split(';');
  if (type.trim().toLowerCase() !== 'multipart/form-data')
    throw new ScanFault('This endpoint takes multipart/form-data.');
  const given = parameters.map((text) => text.trim()).filter((text) => /^boundary\b/i.test(text));
  const boundary = /^boundary=(?:"([\w'()+,./:=? -]*[\w'()+,./:=?-])"|([\w'+./:?-]+))$/i.exec(given[0] ?? '');
  const text = boundary?.[1] ?? boundary?.[2] ?? '';
  if (given.length !== 1 || text === '' || text.length > 70)
    throw new ScanFault('The Content-Type names no boundary that can be used.');
  return text;
}

/** The name of a part; the empty text for a part that is no form field. */
function fieldName(head: string): string {
  let name = '';
  let seen = 0;
  for (const line of head.split('\r\n')) {
    const header = /^([\w-]+):[ \t]*(.*)$/.exec(line);
    // A folded or broken line, a lone CR or LF: read differently by each parser.
    if (!header || /[\r\n\0]/.test(line)) throw new ScanFault('A part of the form has a broken header.');
    const field = (header[1] as string).toLowerCase();
    if (field === 'content-disposition') {
      seen += 1;
      name = dispositionName(header[2] as string);
    } else if (field === 'content-transfer-encoding' && !/^(?:7bit|8bit|binary)$/i.test(header[2] as string))
      throw new ScanFault('A part of the form has a Content-Transfer-Encoding.');
  }
  if (seen !== 1) throw new ScanFault('A part of the form has no single Content-Disposition.');
  return name;
}

const parameter = /;[ \t]*([\w*-]+)=("(?:[^"\\]|\\.)*"|[^;"\s]+)[ \t]*/y;

/** The `name` of `form-data; name="…"`, whatever else stands there. */
function dispositionName(value: string): string {
  const type = /^form-data[ \t]*/i.exec(value);
  if (!type) throw new ScanFault('A part of the form is not form-data.');
  let name: string | null = null;
  parameter.lastIndex = type[0].length;
  for (let at = parameter.lastIndex; at < value.length; at = parameter.lastIndex) {
    const found = parameter.exec(value);
    if (!found) throw new ScanFault('A part of the form has a broken Content-Disposition.');
    const key = (found[1] as string).toLowerCase();
    if (key !== 'name' && key !== 'name*') continue;
    const text = (found[2] as string).replace(/^"(.*)"$/, '$1');
    if (name !== null || key === 'name*' || /[\\%]/.test(text))
      throw new ScanFault('A part of the form has a name that can be read in two ways.');
    name = text;
  }
  return name ?? '';
}
