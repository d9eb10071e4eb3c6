import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../world.ts';
import type { S3Keys } from './sign.ts';

export interface S3Settings extends S3Keys {
  /** Null for Amazon's own. */
  readonly endpoint: string | null;
  readonly trust: { readonly ca?: string };
}

/** What the file says itself, before any variable. */
export interface StatedSettings {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly caFile?: string | undefined;
}

/** Settings have the names that the AWS tools give them; a secret may hold the same as lines NAME=VALUE, which come first. */
export async function s3Settings(
  world: World,
  secret: string | null,
  stated: StatedSettings = {},
): Promise<S3Settings> {
  const own = new Map(
    (secret ?? '').split('\n').flatMap((line): [string, string][] => {
      const [, name, value] = /^\s*(?:export\s+)?([A-Z0-9_]+)\s*=\s*["']?(.*?)["']?\s*$/.exec(line) ?? [];
      return name === undefined ? [] : [[name, value ?? '']];
    }),
  );
  function get(...names: string[]): string | null {
    for (const name of names) {
      const value = own.get(name) ?? world.env[name];
      if (value) return value;
    }
    return null;
  }
  const bundle = stated.caFile ?? get('AWS_CA_BUNDLE');
  const ca = bundle === null ? null : await world.files.read(bundle);
  if (bundle !== null && ca === null)
    throw new BerthError('FILE_MISSING', { path: bundle, what: 'file of authorities for S3' });
  const endpoint = stated.endpoint ?? get('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_S3_ENDPOINT');
  return {
    // AWS_S3_ENDPOINT is what connections of OpenShift AI call it.
    endpoint: endpoint?.replace(/\/+$/, '') ?? null,
    region: stated.region ?? get('AWS_REGION', 'AWS_DEFAULT_REGION') ?? 'us-east-1',
    keyId: get('AWS_ACCESS_KEY_ID'),
    key: get('AWS_SECRET_ACCESS_KEY'),
    // One of the environment belongs to the keys there, and makes others invalid.
    sessionToken: own.has('AWS_ACCESS_KEY_ID')
      ? (own.get('AWS_SESSION_TOKEN') ?? null)
      : get('AWS_SESSION_TOKEN'),
    trust: ca === null ? {} : { ca },
  };
}

/** An own endpoint has the bucket in its path, since its name seldom resolves with one before it. */
export function bucketUrl({ endpoint, region }: S3Settings, bucket: string): string {
  if (endpoint === null) {
    const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
    // No certificate of theirs covers a name with more dots.
    return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}/`;
  }
  return `${/^https?:\/\//.test(endpoint) ? endpoint : `https://${endpoint}`}/${bucket}`;
}

/** Address of one object. */
export function objectUrl(settings: S3Settings, bucket: string, key: string): URL {
  const url = new URL(bucketUrl(settings, bucket));
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return url;
}
