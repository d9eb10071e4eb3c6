import { STATUS_CODES } from 'node:http';
import type { HeaderBlock } from '../header-block.ts';

/** How the end of a reply's body is told. `verbatim`: by those who write it. `none`: it has no body. */
export type Framing = 'none' | 'length' | 'chunked' | 'verbatim' | 'close' | 'open';

/** The head of a reply, short of what is known only when the body begins, and of its empty line. */
export interface ReplyHead {
  readonly text: string;
  /** "open": neither length nor coding was given. */
  readonly framing: Framing;
  /** Content-Length, for the framing "length". */
  readonly length: number;
  /** A header of the reply asks for the end of the connection. */
  readonly close: boolean;
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const badValue = /[^\t\x20-\x7e\x80-\xff]/;
const goodName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const goodNames = new Set<string>();
const maxGoodNames = 512;

/** Writes status line and headers. Throws TypeError on a name or value that HTTP does not allow. */
export function replyHead(
  status: number,
  rawHeaders: readonly string[],
  to: {
    version: number;
    bodyless: boolean;
    verbatim: boolean;
    common?: HeaderBlock | undefined;
    own?: string | undefined;
  },
): ReplyHead {
  let text = statusLine(status);
  if (to.common) {
    checkBlock(to.common);
    text = to.common.behind(text);
  }
  let length = -1;
  let chunked = false;
  let close = false;
  let values = '';
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const value = rawHeaders[i + 1] as string;
    checkName(name);
    values += value;
    switch (own(name)) {
      case 'connection':
        close ||= /\bclose\b/i.test(value);
        continue;
      case 'coding':
        chunked = true;
        continue;
      case 'drop':
        continue;
      case 'length':
        if (!/^\d{1,15}$/.test(value)) throw new TypeError('Content-Length is no number.');
        length = Number(value);
        break;
      case null:
    }
    text += `${name}: ${value}\r\n`;
  }
  // All values in one look.
  if (badValue.test(values)) throw new TypeError('The value of a header holds control characters.');
  if (to.own !== undefined) text += to.own;
  const framing = framingOf(status, {
    version: to.version,
    bodyless: to.bodyless,
    verbatim: to.verbatim,
    chunked,
    length,
  });
  if (framing === 'chunked' || framing === 'verbatim') text += 'Transfer-Encoding: chunked\r\n';
  return { text, framing, length, close };
}

const statusLines: string[] = [];

/** The same text for the same status, and so found again without a look into it. */
function statusLine(status: number): string {
  const known = statusLines[status];
  if (known !== undefined) return known;
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  if (status >= 100 && status < 1000) statusLines[status] = line;
  return line;
}

function checkBlock(block: HeaderBlock): void {
  if (block.checked) return;
  for (let i = 0; i < block.list.length; i += 2) {
    const name = block.list[i] as string;
    checkName(name);
    if (own(name) !== null) throw new TypeError(`"${name}" is the server's own.`);
    if (badValue.test(block.list[i + 1] as string))
      throw new TypeError('The value of a header holds control characters.');
  }
  block.checked = true;
}

function framingOf(
  status: number,
  of: { version: number; bodyless: boolean; verbatim: boolean; chunked: boolean; length: number },
): Framing {
  if (of.bodyless || status === 204 || status === 304) return 'none';
  if (of.length >= 0) return 'length';
  if (!of.chunked) return 'open';
  if (of.version < 11) return 'close';
  return of.verbatim ? 'verbatim' : 'chunked';
}

/** The headers that are the server's business, by length first: most are told by that. */
function own(name: string): 'connection' | 'coding' | 'length' | 'drop' | null {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === 'date' ? 'drop' : null;
    case 10: {
      const lower = name.toLowerCase();
      return lower === 'connection' ? 'connection' : lower === 'keep-alive' ? 'drop' : null;
    }
    case 14:
      return name.toLowerCase() === 'content-length' ? 'length' : null;
    case 17:
      return name.toLowerCase() === 'transfer-encoding' ? 'coding' : null;
    default:
      return null;
  }
}

function checkName(name: string): void {
  if (goodNames.has(name)) return;
  if (!goodName.test(name)) throw new TypeError(`"${name}" is no name of a header.`);
  if (goodNames.size < maxGoodNames) goodNames.add(name);
}
