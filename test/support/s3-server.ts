import { createHash, createHmac } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export interface S3Server {
  readonly url: string;
  /** By "BUCKET/KEY". */
  readonly objects: Map<string, Buffer>;
  /** What it tells of an object's sums, as headers, to whoever asks for sums. By the same names. */
  readonly sums: Map<string, Readonly<Record<string, string>>>;
  /** Keys of one page of a list. */
  pageSize: number;
  /** Lists keys as XML has text, whatever encoding is asked for, as some stores do. */
  plainKeys: boolean;
  /** What is answered in place of the true answer; null for the true one. */
  answer: ((request: http.IncomingMessage) => S3Answer | null) | null;
  readonly stop: () => Promise<void>;
}

export interface S3Answer {
  readonly status: number;
  readonly text: string;
  readonly headers?: Record<string, string>;
}

export const s3Keys = { id: 'AKIDTEST', secret: 'secret/canary+77', region: 'eu-test-1' } as const;

/** An object store, on loopback unless told otherwise, that lists, gives and takes objects to whoever signs right (AWS Signature Version 4), path style. */
export async function startS3(
  tls: { key: Buffer; cert: string } | null,
  address = '127.0.0.1',
): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const sums: S3Server['sums'] = new Map();
  function handle(request: http.IncomingMessage, reply: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://s3');
    const other = self.answer?.(request);
    if (other) {
      reply.writeHead(other.status, { 'content-type': 'application/xml', ...other.headers }).end(other.text);
      return;
    }
    if (!isSigned(request, url)) return refuse(reply, 403, 'SignatureDoesNotMatch');
    const [bucket = '', ...rest] = decodeURIComponent(url.pathname).slice(1).split('/');
    const key = rest.join('/');
    if (![...objects.keys()].some((name) => name.startsWith(`${bucket}/`)))
      return refuse(reply, 404, 'NoSuchBucket');
    if (request.method === 'PUT') return keep(request, reply, `${bucket}/${key}`);
    if (key === '') return list(reply, bucket, url.searchParams);
    const object = objects.get(`${bucket}/${key}`);
    if (!object) return refuse(reply, 404, 'NoSuchKey');
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const from = Number(range?.[1] ?? 0);
    const to = Math.min(Number(range?.[2] ?? object.length - 1), object.length - 1);
    reply.writeHead(range ? 206 : 200, {
      etag: `"${createHash('md5').update(object).digest('hex')}"`,
      'content-length': to - from + 1,
      ...(range ? { 'content-range': `bytes ${from}-${to}/${object.length}` } : {}),
      // Of a range they would be told only where it is a part that was uploaded so.
      ...(!range && request.headers['x-amz-checksum-mode'] === 'ENABLED' ? sums.get(`${bucket}/${key}`) : {}),
    });
    reply.end(request.method === 'HEAD' ? undefined : object.subarray(from, to + 1));
  }

  function keep(request: http.IncomingMessage, reply: http.ServerResponse, name: string): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const bytes = Buffer.concat(parts);
      const sha256 = createHash('sha256').update(bytes);
      const stated = request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD';
      const kept = request.headers['x-amz-checksum-sha256'];
      if (stated !== 'UNSIGNED-PAYLOAD' && stated !== sha256.copy().digest('hex'))
        return refuse(reply, 400, 'XAmzContentSHA256Mismatch');
      if (kept !== undefined && kept !== sha256.digest('base64')) return refuse(reply, 400, 'BadDigest');
      objects.set(name, bytes);
      if (kept !== undefined) sums.set(name, { 'x-amz-checksum-sha256': String(kept) });
      reply.writeHead(200).end();
    });
  }

  function list(reply: http.ServerResponse, bucket: string, query: URLSearchParams): void {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`;
    const names = [...objects.keys()]
      .filter((name) => name.startsWith(prefix))
      .toSorted((a, b) => (a < b ? -1 : 1));
    const at = Number(query.get('continuation-token')?.slice('page='.length) ?? 0);
    const page = names.slice(at, at + self.pageSize);
    const next =
      at + page.length < names.length
        ? `<NextContinuationToken>page=${at + page.length}</NextContinuationToken>`
        : '';
    const contents = page.map((name) => {
      const plain = name.slice(bucket.length + 1);
      const key = self.plainKeys
        ? plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
        : encodeURIComponent(plain).replaceAll('%2F', '/').replaceAll('%20', '+');
      return `<Contents><Key>${key}</Key><Size>${objects.get(name)?.length ?? 0}</Size></Contents>`;
    });
    reply.writeHead(200, { 'content-type': 'application/xml' });
    reply.end(
      `<?xml version="1.0"?><ListBucketResult>${self.plainKeys ? '' : '<EncodingType>url</EncodingType>'}<IsTruncated>${next !== ''}</IsTruncated>${contents.join('')}${next}</ListBucketResult>`,
    );
  }

  const server = tls === null ? http.createServer(handle) : https.createServer(tls, handle);
  await new Promise<void>((done) => void server.listen(0, address, done));
  const { port } = server.address() as AddressInfo;
  const self: S3Server = {
    url: `${tls === null ? 'http' : 'https'}://${address}:${port}`,
    objects,
    sums,
    pageSize: 1000,
    plainKeys: false,
    answer: null,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
  return self;
}

function refuse(reply: http.ServerResponse, status: number, code: string): void {
  reply.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
}

/** Computes the signature anew from what came, as the "Signature Version 4 signing process" page of AWS says. */
function isSigned(request: http.IncomingMessage, url: URL): boolean {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (!found) return false;
  const [, id, day, region, signed, signature] = found as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (id !== s3Keys.id || region !== s3Keys.region) return false;
  const query = [...url.searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join('&');
  const path = decodeURIComponent(url.pathname).split('/').map(encoded).join('/');
  const headers = signed.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}\n`);
  const payload = String(request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD');
  const canonical = [request.method, path, query, headers.join(''), signed, payload].join('\n');
  const moment = String(request.headers['x-amz-date']);
  const text = [
    'AWS4-HMAC-SHA256',
    moment,
    `${day}/${region}/s3/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<Buffer>(
    (last, part) => createHmac('sha256', last).update(part).digest(),
    Buffer.from(`AWS4${s3Keys.secret}`),
  );
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
