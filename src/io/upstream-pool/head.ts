import { MalformedReply } from './chunked.ts';
import type { UpstreamHead } from './types.ts';

/** A head and what it says about its connection. */
export interface ParsedHead extends UpstreamHead {
  readonly keepAlive: boolean;
  /** Keep-Alive: timeout=, in milliseconds. */
  readonly keepMs: number | null;
  /** Keep-Alive: max=, requests on this connection. */
  readonly maxRequests: number | null;
}

export const maxHeadBytes = 64 * 1024;

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [^\0\r\n]*)?$/;
const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const badText = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads a reply's head (status line and headers, without the empty line) strictly, as RFC 9112 wants it of a gateway:
 * no folded lines, no space before the colon, one Content-Length, never both framings. Throws MalformedReply.
 */
export function parseHead(text: string): ParsedHead {
  // Once over the whole: what is left between the line ends can then be taken apart without another look.
  if (badText.test(text)) throw new MalformedReply('The head of the reply holds control characters.');
  const lines = text.split('\r\n');
  const match = statusLine.exec(lines[0] ?? '');
  if (!match) throw new MalformedReply('The status line is not HTTP/1.');
  const status = Number(match[2]);
  const headers: string[] = [];
  const found: Fields = { length: null, coding: null, connection: '', keepAlive: '', type: '' };
  for (let i = 1; i < lines.length; i += 1) {
    const line = lines[i] as string;
    // A line end of which one half is missing.
    if (line.includes('\n') || line.includes('\r'))
      throw new MalformedReply('The head of the reply holds a bare line end.');
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1).trim();
    headers.push(name, value);
    note(found, lowerName(name), value);
  }
  return {
    status,
    headers,
    ...framing(status, found),
    ...connection(match[1] === '1', found),
    likeness: null,
  };
}

/** Names seen before, checked and in lower case: an engine sends the same few with every reply. */
const knownNames = new Map<string, string>();
const maxKnownNames = 256;

function lowerName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  if (!headerName.test(name)) throw new MalformedReply('A header is malformed.');
  const lower = name.toLowerCase();
  // A copy: a slice would keep the whole head alive that it was cut from.
  if (knownNames.size < maxKnownNames) knownNames.set(Buffer.from(name).toString(), lower);
  return lower;
}

interface Fields {
  length: string | null;
  coding: string | null;
  connection: string;
  keepAlive: string;
  type: string;
}

function note(found: Fields, name: string, value: string): void {
  switch (name) {
    case 'content-length':
      if (!/^\d{1,15}$/.test(value) || (found.length !== null && found.length !== value))
        throw new MalformedReply('Content-Length is malformed.');
      found.length = value;
      break;
    case 'transfer-encoding':
      if (found.coding !== null || value.toLowerCase() !== 'chunked')
        throw new MalformedReply('Transfer-Encoding is not chunked.');
      found.coding = 'chunked';
      break;
    case 'connection':
      found.connection += `,${value.toLowerCase()}`;
      break;
    case 'keep-alive':
      found.keepAlive = value.toLowerCase();
      break;
    case 'content-type':
      found.type = value.toLowerCase();
      break;
    default:
  }
}

function framing(status: number, found: Fields): Pick<UpstreamHead, 'framing' | 'length' | 'eventStream'> {
  const eventStream = found.type.startsWith('text/event-stream');
  if (found.coding && found.length !== null)
    throw new MalformedReply('The reply has both Content-Length and Transfer-Encoding.');
  if (status < 200 || status === 204 || status === 304) return { framing: 'none', length: null, eventStream };
  if (found.coding) return { framing: 'chunked', length: null, eventStream };
  if (found.length !== null) return { framing: 'length', length: Number(found.length), eventStream };
  return { framing: 'close', length: null, eventStream };
}

function connection(is11: boolean, found: Fields): Pick<ParsedHead, 'keepAlive' | 'keepMs' | 'maxRequests'> {
  if (found.connection === '' && found.keepAlive === '')
    return { keepAlive: is11, keepMs: null, maxRequests: null };
  const words = found.connection.split(',').map((word) => word.trim());
  const timeout = /\btimeout=(\d+)/.exec(found.keepAlive);
  const max = /\bmax=(\d+)/.exec(found.keepAlive);
  return {
    keepAlive: is11 ? !words.includes('close') : words.includes('keep-alive'),
    keepMs: timeout ? Number(timeout[1]) * 1000 : null,
    maxRequests: max ? Number(max[1]) : null,
  };
}
