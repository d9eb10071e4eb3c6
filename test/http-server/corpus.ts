/** Requests that differ between parsers, or have led to smuggling: the seeds of the differential test. */

const json = '{"model":"m"}';

function request(line: string, headers: readonly string[], body = ''): string {
  return `${line}\r\n${headers.map((header) => `${header}\r\n`).join('')}\r\n${body}`;
}

function post(headers: readonly string[], body: string): string {
  return request('POST /v1/chat/completions HTTP/1.1', ['Host: x', ...headers], body);
}

const chunked = `d\r\n${json}\r\n0\r\n\r\n`;

const lengths = [
  '13',
  '+13',
  '-13',
  '13 ',
  '0x0d',
  '13, 13',
  '13,14',
  '1e1',
  '00013',
  '013',
  '',
  ' ',
  '13\t',
  '99999999999999999999999',
  '１３',
];

const codings = [
  'chunked',
  'CHUNKED',
  ' chunked ',
  'xchunked',
  'chunked, identity',
  'identity, chunked',
  'identity',
  'gzip, chunked',
  'chunked, chunked',
  'chunked;q=1',
  '"chunked"',
  '\u000bchunked',
  'chunked\t',
  'chunke',
  '',
];

const chunkForms = [
  chunked,
  `D\r\n${json}\r\n0\r\n\r\n`,
  `d;a=b\r\n${json}\r\n0;c\r\n\r\n`,
  `d ;a\r\n${json}\r\n0\r\n\r\n`,
  `0xd\r\n${json}\r\n0\r\n\r\n`,
  `000d\r\n${json}\r\n0\r\n\r\n`,
  `d\n${json}\r\n0\r\n\r\n`,
  `d\r\n${json}\n0\r\n\r\n`,
  `d\r\n${json}0\r\n\r\n`,
  `d\r\n${json}\r\n0\r\nTrailer: t\r\n\r\n`,
  `d\r\n${json}\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n`,
  `ffffffffffffffffff\r\n${json}\r\n0\r\n\r\n`,
  `-d\r\n${json}\r\n0\r\n\r\n`,
  `\r\n${json}\r\n0\r\n\r\n`,
];

const heads = [
  'GET /a HTTP/1.1',
  'GET  /a HTTP/1.1',
  'GET /a  HTTP/1.1',
  'GET\t/a HTTP/1.1',
  ' GET /a HTTP/1.1',
  'get /a HTTP/1.1',
  'GET /a HTTP/1.0',
  'GET /a HTTP/2.0',
  'GET /a HTTP/1.2',
  'GET /a HTTP/01.1',
  'GET /a HTTP/1.1 x',
  'GET /a',
  'GET http://y/a HTTP/1.1',
  'GET /a?b=c#d HTTP/1.1',
  'GET /\u00e9 HTTP/1.1',
  'GET /a\u0000b HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'CONNECT y:1 HTTP/1.1',
  'PRI * HTTP/2.0',
  'SOURCE /a ICE/1.0',
  'FOO /a HTTP/1.1',
];

const fields = [
  'X: 1',
  'X : 1',
  ' X: 1',
  'X:1',
  'X:',
  ':1',
  'X',
  'X: a\r\n folded',
  'X: a\rb',
  'X: a\nY: b',
  'X: a\u0000b',
  'X: \u00e9',
  'X\u00e9: 1',
  'X: 1\r',
  'Host: y',
  'Connection: close',
  'Connection: keep-alive',
  'Connection: Upgrade\r\nUpgrade: h2c',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Expect: 100-continue',
  'Expect: x',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
];

/** Requests that every server takes. */
export const plain: readonly string[] = [
  request('GET /a HTTP/1.1', ['Host: x', 'X-Y: z']),
  post(['Content-Length: 13', 'Content-Type: application/json'], json),
  post(['Transfer-Encoding: chunked'], `5\r\n{"mod\r\n8\r\nel":"m"}\r\n0\r\n\r\n`),
];

export const corpus: readonly string[] = [
  post(['Content-Length: 13'], json),
  ...lengths.map((length) => post([`Content-Length: ${length}`], json)),
  ...lengths.map((length) => post(['Content-Length: 13', `Content-Length: ${length}`], json)),
  ...codings.map((coding) => post([`Transfer-Encoding: ${coding}`], chunked)),
  ...codings.map((coding) => post([`Transfer-Encoding: ${coding}`, 'Content-Length: 13'], chunked)),
  ...codings.map((coding) => post(['Transfer-Encoding: chunked', `Transfer-Encoding: ${coding}`], chunked)),
  ...chunkForms.map((body) => post(['Transfer-Encoding: chunked'], body)),
  request('POST /a HTTP/1.0', ['Transfer-Encoding: chunked'], chunked),
  request('POST /a HTTP/1.0', ['Connection: keep-alive', 'Content-Length: 13'], json),
  ...heads.map((line) => request(line, ['Host: x'])),
  request('GET /a HTTP/1.1', []),
  ...fields.map((field) => request('GET /a HTTP/1.1', ['Host: x', field])),
  ...fields.map((field) => post([field, 'Content-Length: 13'], json)),
  'GET /a HTTP/1.1\nHost: x\n\n',
  '\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n',
  `GET /a HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(520)}\r\n`,
  `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  post(['Transfer-Encoding: chunked'], `1;${'a'.repeat(20_000)}\r\nx\r\n0\r\n\r\n`),
];

/** What is put in place of, or beside, single bytes. */
export const spices = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '0',
  '1',
  'f',
  '-',
  '\u0080',
  '\u00ff',
  '"',
];
