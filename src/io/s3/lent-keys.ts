import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { parseJson } from '../../domain/json.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { proxyFor } from '../proxy.ts';
import type { World } from '../world.ts';
import { noteInVain, wasAskedInVain } from './asked-in-vain.ts';
import { s3ErrorCode } from './error-code.ts';
import type { Profile } from './shared-config.ts';
import type { S3Keys } from './sign.ts';

/** Keys that were given for a while. */
export interface LentKeys extends Pick<S3Keys, 'keyId' | 'key' | 'sessionToken'> {
  /** Milliseconds since 1970; null where they do not end. */
  readonly until: number | null;
}

export interface Lending {
  readonly world: World;
  readonly get: (...names: string[]) => string | null;
  readonly profile: Profile | null;
  readonly region: string;
}

/** By the identity of a pod: a token in a file, for which the service of AWS or one like it gives keys. Null where none is named. */
export async function keysByWebIdentity({ world, get, profile, region }: Lending): Promise<LentKeys | null> {
  const file = get('AWS_WEB_IDENTITY_TOKEN_FILE') ?? profile?.get('web_identity_token_file') ?? null;
  const role = get('AWS_ROLE_ARN') ?? profile?.get('role_arn') ?? null;
  if (file === null || role === null) return null;
  const token = await world.files.read(file);
  if (token === null)
    throw new BerthError('FILE_MISSING', { path: file, what: 'token of web identity for S3' });
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  const url =
    get('AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL') ?? `https://sts.${region}.amazonaws.com${suffix}`;
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: get('AWS_ROLE_SESSION_NAME') ?? 'berth',
    WebIdentityToken: token.trim(),
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const text = await ask(world, 'web identity', url, { method: 'POST', headers, body: body.toString() });
  function told(name: string): string | undefined {
    return new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1];
  }
  const read = {
    AccessKeyId: told('AccessKeyId'),
    SecretAccessKey: told('SecretAccessKey'),
    Token: told('SessionToken'),
    Expiration: told('Expiration'),
  };
  return keysIn(read, 'web identity');
}

/** By the program that the profile names. */
export async function keysByProgram({ world, profile }: Lending): Promise<LentKeys | null> {
  const command = profile?.get('credential_process');
  if (command === undefined) return null;
  const { code, stdout } = await world.exec.run(['sh', '-c', command], { timeoutMs: 60_000 });
  // What it says on its way may hold the keys.
  if (code !== 0) throw refused('credential_process', `it ends with ${code ?? 'no exit code'}`);
  return keysIn(parseJson(stdout), 'credential_process');
}

/** By the place that a container is told of. */
export async function keysOfContainer({ world, get }: Lending): Promise<LentKeys | null> {
  const path = get('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI');
  const url = path === null ? get('AWS_CONTAINER_CREDENTIALS_FULL_URI') : `http://169.254.170.2${path}`;
  if (url === null) return null;
  if (!URL.canParse(url) || !isTrusted(new URL(url)))
    throw refused('the container', 'its address is neither of this machine nor https');
  const file = get('AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE');
  const token =
    file === null ? get('AWS_CONTAINER_AUTHORIZATION_TOKEN') : ((await world.files.read(file)) ?? '').trim();
  const headers: Record<string, string> = token ? { authorization: token } : {};
  return keysIn(
    parseJson(await ask(world, 'the container', url, { headers, direct: url.startsWith('http:') })),
    'the container',
  );
}

/** Addresses that AWS keeps for this beside those of the machine: whoever else is asked over plain http could read the token. */
function isTrusted({ protocol, hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  return (
    protocol === 'https:' ||
    isLoopback(host) ||
    ['169.254.170.2', '169.254.170.23', 'fd00:ec2::23'].includes(host)
  );
}

/** By the role of the machine; null where there is no such service, or it has no role, or it had none a while ago. */
export async function keysOfMachine({ world, get }: Lending): Promise<LentKeys | null> {
  if (get('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true') return null;
  const root = get('AWS_EC2_METADATA_SERVICE_ENDPOINT') ?? 'http://169.254.169.254';
  if (await wasAskedInVain(world, root)) return null;
  const keys = await askMachine(world, root);
  if (keys === null) await noteInVain(world, root);
  return keys;
}

async function askMachine(world: World, root: string): Promise<LentKeys | null> {
  const roles = '/latest/meta-data/iam/security-credentials/';
  async function look(path: string, method: string, headers: Record<string, string>): Promise<string | null> {
    const url = `${root.replace(/\/+$/, '')}${path}`;
    const reply = await world.http.request(url, { method, headers, timeoutMs: 1000 }).catch(() => null);
    return reply?.status === 200 ? reply.text.trim() : null;
  }
  const token = await look('/latest/api/token', 'PUT', { 'x-aws-ec2-metadata-token-ttl-seconds': '21600' });
  if (token === null) return null;
  const headers = { 'x-aws-ec2-metadata-token': token };
  const role = (await look(roles, 'GET', headers))?.split('\n')[0];
  if (!role) return null;
  return keysIn(parseJson((await look(`${roles}${role}`, 'GET', headers)) ?? ''), 'the role of this machine');
}

interface Question {
  readonly method?: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
  /** A proxy would ask its own machine, and see the token. */
  readonly direct?: boolean;
}

async function ask(
  world: World,
  by: string,
  url: string,
  { direct = false, ...request }: Question,
): Promise<string> {
  const proxy = direct ? null : proxyFor(world.env, url);
  const reply = await world.http
    .request(url, { ...request, timeoutMs: 10_000, proxy })
    .catch((cause: unknown) => {
      throw refused(by, cause instanceof Error ? cause.message : String(cause));
    });
  if (reply.status === 200) return reply.text;
  const code = s3ErrorCode(reply.text);
  throw refused(by, `${new URL(url).host} answers ${reply.status}${code === null ? '' : ` (${code})`}`);
}

const Told = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  Token: z.string().optional(),
  SessionToken: z.string().optional(),
  Expiration: z.string().optional(),
});

function keysIn(answer: unknown, by: string): LentKeys {
  const { data } = Told.safeParse(answer);
  if (!data) throw refused(by, 'its answer holds no keys');
  const until = Date.parse(data.Expiration ?? '');
  return {
    keyId: data.AccessKeyId,
    key: data.SecretAccessKey,
    sessionToken: data.SessionToken ?? data.Token ?? null,
    until: Number.isFinite(until) ? until : null,
  };
}

function refused(by: string, reason: string): BerthError {
  return new BerthError('S3_KEYS_REFUSED', { by, reason });
}
