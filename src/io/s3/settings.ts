import { homedir } from 'node:os';
import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../world.ts';
import { keysByProgram, keysByWebIdentity, keysOfContainer, keysOfMachine } from './lent-keys.ts';
import type { LentKeys } from './lent-keys.ts';
import { borrowsBy, profileIn } from './shared-config.ts';
import type { Profile } from './shared-config.ts';
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

/**
 * Settings have the names that the AWS tools give them, and their order: a secret that holds them as lines NAME=VALUE, variables,
 * then the profile of the two files below ~/.aws. Throws FILE_MISSING, S3_PROFILE.
 */
export async function s3Settings(
  world: World,
  secret: string | null,
  stated: StatedSettings = {},
): Promise<S3Settings> {
  return (await readSettings(world, secret, stated)).settings;
}

/** Keys that were lent, by the world that they were lent in and whom they are of. */
const lent = new WeakMap<World, Map<string, LentKeys | null>>();
/** Keys that end sooner are not used any more. */
const leastLeftMs = 5 * 60_000;

/**
 * The same, and where no keys are stated those that are to be asked for: by web identity, a program, the container or the role of
 * the machine, in the order of the AWS tools. They are asked for once until they end. Throws S3_KEYS_REFUSED and PLACE_UNUSABLE too.
 */
export async function s3Access(
  world: World,
  secret: string | null,
  stated: StatedSettings = {},
): Promise<S3Settings> {
  const { settings, get, profile } = await readSettings(world, secret, stated);
  expectUsable(settings);
  const hasOwn = get('AWS_ACCESS_KEY_ID') !== null;
  // Of the variables for it, and not of a profile: those stand before the keys of a profile.
  const byPod = get('AWS_WEB_IDENTITY_TOKEN_FILE') !== null;
  if (hasOwn || (settings.keyId !== null && !byPod)) return settings;
  const known = lent.get(world) ?? new Map<string, LentKeys | null>();
  lent.set(world, known);
  const name = JSON.stringify([secret, settings.region]);
  const before = known.get(name);
  const left = (before?.until ?? Number.POSITIVE_INFINITY) - world.clock.wall().getTime();
  if (before !== undefined && left > leastLeftMs) return { ...settings, ...before };
  const lending = { world, get, profile, region: settings.region };
  const keys =
    (await keysByWebIdentity(lending)) ??
    (await keysByProgram(lending)) ??
    (await keysOfContainer(lending)) ??
    (await keysOfMachine(lending));
  known.set(name, keys);
  return { ...settings, ...keys };
}

function expectUsable({ endpoint, region }: S3Settings): void {
  if (endpoint !== null) {
    const url = withScheme(endpoint);
    if (/^https?:/i.test(url) && URL.canParse(url)) return;
    throw new BerthError('PLACE_UNUSABLE', {
      name: 'AWS_ENDPOINT_URL',
      reason: 'is no address of a web server',
      example: 'https://minio.lan:9000',
    });
  }
  if (/^[a-z0-9-]+$/i.test(region)) return;
  throw new BerthError('PLACE_UNUSABLE', {
    name: 'AWS_REGION',
    reason: `is no region of Amazon's: ${JSON.stringify(region)}`,
    example: 'eu-central-1',
  });
}

interface Read {
  readonly settings: S3Settings;
  readonly get: (...names: string[]) => string | null;
  readonly profile: Profile | null;
}

async function readSettings(world: World, secret: string | null, stated: StatedSettings): Promise<Read> {
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
  const named = get('AWS_PROFILE', 'AWS_DEFAULT_PROFILE');
  const profile = await readProfile(world, named, get);
  const bundle = stated.caFile ?? get('AWS_CA_BUNDLE') ?? profile?.get('ca_bundle') ?? null;
  const ca = bundle === null ? null : await world.files.read(bundle);
  if (bundle !== null && ca === null)
    throw new BerthError('FILE_MISSING', { path: bundle, what: 'file of authorities for S3' });
  const endpoint =
    stated.endpoint ??
    // AWS_S3_ENDPOINT is what connections of OpenShift AI call it.
    get('AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL', 'AWS_S3_ENDPOINT') ??
    profile?.get('s3.endpoint_url') ??
    profile?.get('endpoint_url');
  const region = stated.region ?? get('AWS_REGION', 'AWS_DEFAULT_REGION') ?? profile?.get('region');
  const settings = {
    endpoint: endpoint?.replace(/\/+$/, '') ?? null,
    region: region ?? 'us-east-1',
    ...keysOf(own, get, named, profile),
    trust: ca === null ? {} : { ca },
  };
  return { settings, get, profile };
}

/** All from one place: a session's token belongs to the keys that it was given with, and makes others invalid. */
function keysOf(
  own: ReadonlyMap<string, string>,
  get: (name: string) => string | null,
  named: string | null,
  profile: Profile | null,
): Pick<S3Keys, 'keyId' | 'key' | 'sessionToken'> {
  const [keyId, key] = [get('AWS_ACCESS_KEY_ID'), get('AWS_SECRET_ACCESS_KEY')];
  if (keyId !== null) {
    const sessionToken = own.has('AWS_ACCESS_KEY_ID')
      ? (own.get('AWS_SESSION_TOKEN') ?? null)
      : get('AWS_SESSION_TOKEN');
    return { keyId, key, sessionToken };
  }
  if (profile === null && named !== null) throw new BerthError('S3_PROFILE', { profile: named, by: null });
  const by = profile?.has('aws_access_key_id') === false ? borrowsBy(profile) : null;
  if (by !== null) throw new BerthError('S3_PROFILE', { profile: named ?? 'default', by });
  return {
    keyId: profile?.get('aws_access_key_id') ?? null,
    key: profile?.get('aws_secret_access_key') ?? key,
    sessionToken: profile?.get('aws_session_token') ?? null,
  };
}

/** Null where neither file has it. */
async function readProfile(
  { env, files }: World,
  named: string | null,
  get: (name: string) => string | null,
): Promise<Profile | null> {
  const folder = join(env['HOME'] ?? homedir(), '.aws');
  const [credentials, config] = await Promise.all([
    files.read(get('AWS_SHARED_CREDENTIALS_FILE') ?? join(folder, 'credentials')),
    files.read(get('AWS_CONFIG_FILE') ?? join(folder, 'config')),
  ]);
  return profileIn(named ?? 'default', { credentials, config });
}

/** An own endpoint has the bucket in its path, since its name seldom resolves with one before it. */
export function bucketUrl({ endpoint, region }: S3Settings, bucket: string): string {
  if (endpoint === null) {
    const host = `s3.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
    // No certificate of theirs covers a name with more dots.
    return bucket.includes('.') ? `https://${host}/${bucket}` : `https://${bucket}.${host}/`;
  }
  return `${withScheme(endpoint)}/${bucket}`;
}

function withScheme(endpoint: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(endpoint) ? endpoint : `https://${endpoint}`;
}

/** Address of one object. */
export function objectUrl(settings: S3Settings, bucket: string, key: string): URL {
  const url = new URL(bucketUrl(settings, bucket));
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${key.split('/').map(encodeURIComponent).join('/')}`;
  return url;
}
