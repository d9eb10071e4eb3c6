import { basename, dirname, join } from 'node:path';
import { BerthError } from '../domain/errors/berth-error.ts';
import { splitSet } from '../domain/split-files.ts';
import { shownSource } from '../domain/model-source.ts';
import type { ListedFile, ListedModel } from '../domain/listed-model.ts';
import { proxyFor } from '../io/proxy.ts';
import type { World } from '../io/world.ts';
import { secondsToWait } from '../io/download/wait-of.ts';
import { askAgain } from '../io/download/ask-again.ts';
import type { ModelSource, Refusal, SourceAccess } from './contract.ts';
import { s3ErrorCode } from '../io/s3/error-code.ts';
import { objectSum } from '../io/s3/object-sum.ts';
import { bucketUrl, objectUrl, s3Access, s3Settings } from '../io/s3/settings.ts';
import type { S3Settings } from '../io/s3/settings.ts';
import { signed } from '../io/s3/sign.ts';

const form = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

/** Settings have the names that the AWS tools give them; a model's `secret` may hold the same as lines NAME=VALUE. */
export const s3Source = {
  kind: 's3',
  form: 's3://BUCKET/PREFIX[/FILE]',
  title: 'S3 and what speaks like it; AWS_ENDPOINT_URL and AWS_CA_BUNDLE name an own one',
  owns: (source) => source.startsWith('s3://'),
  misshapen: (source) => {
    if (form.test(source)) return null;
    const bucket = source.slice('s3://'.length).replace(/[/?].*$/, '');
    // Of keys before a name, which may hold a slash, this is the beginning.
    const called = /[:@]/.test(bucket) ? 'so' : JSON.stringify(bucket);
    return `No bucket can be called ${called}: names have 3 to 63 lower-case letters, digits, dots and dashes.`;
  },
  endpoint: async (world, secret) => (await s3Settings(world, secret)).endpoint,
  wanted: (source) => {
    const { prefix } = placeOf(source);
    return { path: isSplit(prefix) ? basename(prefix) : null, quant: null };
  },
  list: listBucket,
  address: async (world, source, _model, file, access) => {
    const settings = await s3Access(world, access.secret);
    return { ...(await signed(urlOf(source, file, settings), settings)), ...settings.trust };
  },
  withSum: async (world, source, file, access) => {
    const settings = await s3Access(world, access.secret);
    const sum = await objectSum(world, urlOf(source, file, settings), settings, access.signal);
    if (sum === null) return file;
    return sum.kind === 'sha256' ? { ...file, sha256: sum.value } : { ...file, crc: sum };
  },
  refusal: async (world, source, access, reply) => {
    const settings = await s3Access(world, access.secret);
    return refusal(world, source, new URL(bucketUrl(settings, placeOf(source).bucket)), settings, reply);
  },
} as const satisfies ModelSource;

function placeOf(source: string): { bucket: string; prefix: string } {
  const found = form.exec(source);
  if (!found?.[1])
    throw new BerthError('MODEL_SOURCE_UNKNOWN', { source: shownSource(source), forms: [s3Source.form] });
  return { bucket: found[1], prefix: (found[2] ?? '').replace(/\/+$/, '') };
}

function urlOf(source: string, file: ListedFile, settings: S3Settings): URL {
  const { bucket, prefix } = placeOf(source);
  const isObject = `/${prefix}`.endsWith(`/${file.path}`);
  const key = isObject ? prefix : join(isSplit(prefix) ? dirname(prefix) : prefix, file.path);
  return objectUrl(settings, bucket, key);
}

/** One part of a split model stands for all, which lie beside it. */
function isSplit(prefix: string): boolean {
  return splitSet(basename(prefix)).length > 1;
}

async function listBucket(world: World, source: string, access: SourceAccess): Promise<ListedModel> {
  const { bucket, prefix } = placeOf(source);
  const settings = await s3Access(world, access.secret);
  const listed = isSplit(prefix) ? prefix.replace(/\d{5}-of-\d{5}\.[a-z]+$/, '') : prefix;
  const files: ListedFile[] = [];
  const tokens = new Set<string>();
  let next: string | null = null;
  do {
    const url = new URL(bucketUrl(settings, bucket));
    url.search = new URLSearchParams({
      'list-type': '2',
      'encoding-type': 'url',
      ...(listed === '' ? {} : { prefix: listed }),
      ...(next === null ? {} : { 'continuation-token': next }),
    }).toString();
    const page = readPage(await ask(world, source, url, settings, access.signal));
    files.push(...page.keys.flatMap(({ key, size }) => fileOf(key, size, prefix)));
    next = page.next;
    if (page.more && (next === null || tokens.has(next)))
      throw new BerthError('MODEL_PLACE_FAILED', {
        source,
        place: url.origin,
        reason: 'its list has more pages, and it does not say how to get them',
      });
    if (next !== null) tokens.add(next);
  } while (next !== null);
  if (files.length === 0)
    throw new BerthError('MODEL_NOT_FOUND', {
      source,
      what: `bucket ${bucket} has nothing below ${prefix || 'its root'}`,
      near: [],
    });
  return { revision: null, licence: null, files };
}

/** "models/a" holds the object of that name and what is below it, but not "models/ab". */
function fileOf(key: string, size: number, prefix: string): ListedFile[] {
  if (key.endsWith('/')) return [];
  if (key === prefix || (isSplit(prefix) && dirname(key) === dirname(prefix)))
    return [{ path: key.slice(key.lastIndexOf('/') + 1), size, sha256: null }];
  if (prefix !== '' && !key.startsWith(`${prefix}/`)) return [];
  return [{ path: prefix === '' ? key : key.slice(prefix.length + 1), size, sha256: null }];
}

interface Page {
  readonly keys: readonly { key: string; size: number }[];
  readonly more: boolean;
  readonly next: string | null;
}

/** ListObjectsV2. Servers that do as encoding-type=url asks say so, and percent-encode keys; others have them as XML has text. */
function readPage(xml: string): Page {
  const decode = /<EncodingType>url<\/EncodingType>/.test(xml) ? fromUrl : fromXml;
  const keys = [...xml.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)].flatMap(([, inner = '']) => {
    const key = /<Key>([^<]*)<\/Key>/.exec(inner)?.[1];
    const size = Number(/<Size>(\d+)<\/Size>/.exec(inner)?.[1]);
    return key === undefined ? [] : [{ key: decode(key), size }];
  });
  const more = /<IsTruncated>true<\/IsTruncated>/.test(xml);
  const token = /<NextContinuationToken>([^<]*)<\/NextContinuationToken>/.exec(xml)?.[1];
  return { keys, more, next: more && token !== undefined ? fromXml(token) : null };
}

function fromUrl(text: string): string {
  return decodeURIComponent(text.replaceAll('+', '%20'));
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function fromXml(text: string): string {
  return text.replaceAll(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex?: string, dec?: string, name = '') => {
      if (hex === undefined && dec === undefined) return entities[String(name)] ?? whole;
      return String.fromCodePoint(hex === undefined ? Number(dec) : Number.parseInt(hex, 16));
    },
  );
}

async function ask(
  world: World,
  source: string,
  url: URL,
  settings: S3Settings,
  signal: AbortSignal,
): Promise<string> {
  const address = await signed(url, settings);
  const proxy = proxyFor(world.env, address.url);
  const reply = await askAgain(world.clock, signal, () =>
    world.http.request(address.url, {
      headers: { ...address.headers },
      timeoutMs: 60_000,
      signal,
      proxy,
      ...settings.trust,
    }),
  ).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BerthError('MODEL_PLACE_FAILED', { source, place: url.origin, reason }, { cause });
  });
  if (reply.status === 200) return reply.text;
  throw refusal(world, source, url, settings, reply);
}

function refusal(
  world: World,
  source: string,
  url: URL,
  { keyId }: S3Settings,
  { status, text, headers }: Refusal,
): BerthError {
  const code = s3ErrorCode(text) ?? String(status);
  if (code === 'NoSuchBucket' || status === 404) {
    const what = code === 'NoSuchKey' ? 'has not this object any more' : 'has no such bucket';
    return new BerthError('MODEL_NOT_FOUND', { source, what: `${url.host} ${what}`, near: [] });
  }
  const region = regionOf(text, headers);
  if (status === 301 || code === 'AuthorizationHeaderMalformed')
    return new BerthError('MODEL_UNAUTHORIZED', {
      source,
      said: `the bucket lies in ${region ?? 'another region'}`,
      cure: `Set AWS_REGION to ${region ?? 'the region of the bucket'}.`,
    });
  if (code === 'SlowDown' || status === 429)
    return new BerthError('MODEL_QUOTA', {
      source,
      retryAfter: secondsToWait(headers, world.clock.wall()),
    });
  // Amazon answers 400 to keys whose time is over.
  const ended = code === 'ExpiredToken' || code === 'TokenRefreshRequired';
  if (status === 401 || status === 403 || ended) {
    const cure = ended
      ? 'The keys were given for a while, which is over: get new ones with their AWS_SESSION_TOKEN.'
      : keyId === null
        ? 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or "secret" of the model to a file of such lines.'
        : 'Check the keys, AWS_REGION, the clock of this machine, and that the keys may list and read the bucket.';
    return new BerthError('MODEL_UNAUTHORIZED', { source, said: `${url.host} answers ${code}`, cure });
  }
  return new BerthError('MODEL_PLACE_FAILED', { source, place: url.origin, reason: `it answers ${code}` });
}

function regionOf(text: string, headers: Refusal['headers']): string | null {
  const told = headers['x-amz-bucket-region'];
  return typeof told === 'string' ? told : (/<Region>([a-z0-9-]+)<\/Region>/.exec(text)?.[1] ?? null);
}
