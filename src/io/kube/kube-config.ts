import { urlHost } from '../../domain/url-host.ts';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import type { World } from '../world.ts';

/** How a server is reached and how one logs in there; contents of files, not their paths. */
export interface KubeAccess {
  readonly context: string;
  readonly server: string;
  readonly ca: string | undefined;
  readonly insecure: boolean;
  readonly serverName: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** Read for each question, since it is renewed. */
  readonly tokenFile: string | undefined;
  readonly plugin: KubePlugin | undefined;
}

/** A program that logs in. */
export interface KubePlugin {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly apiVersion: string;
  readonly cwd: string;
  /** What it wants to know of the cluster; absent: it asks for nothing. */
  readonly cluster?: Readonly<Record<string, unknown>>;
  /** How it is installed, in the words of whoever wrote the kubeconfig. */
  readonly hint?: string;
}

const text = z.string().optional().catch(undefined);
function listOf<T extends z.ZodType>(part: T) {
  return z
    .array(part)
    .nullish()
    .transform((list) => list ?? []);
}

const Cluster = z.object({
  server: z.string(),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': text,
  'proxy-url': text,
  extensions: z
    .array(z.object({ name: z.string(), extension: z.unknown() }))
    .nullish()
    .catch(null),
});

const User = z.object({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  username: text,
  'auth-provider': z.unknown().optional(),
  as: text,
  exec: z
    .looseObject({
      apiVersion: z.string(),
      command: z.string(),
      args: z.array(z.string()).nullish(),
      env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
      provideClusterInfo: z.boolean().nullish(),
      installHint: text,
    })
    .nullish(),
});
type Exec = NonNullable<z.infer<typeof User>['exec']>;

const Context = z.object({ cluster: z.string(), user: text });

const Config = z.object({
  clusters: listOf(z.object({ name: z.string(), cluster: Cluster })),
  contexts: listOf(z.object({ name: z.string(), context: Context })),
  users: listOf(z.object({ name: z.string(), user: User.nullish() })),
});
type Config = z.infer<typeof Config>;

type Cluster = z.infer<typeof Cluster>;
type User = z.infer<typeof User>;

/** What a pod is given of the cluster that it runs in. */
const podFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
export const inCluster = 'in-cluster';

/** The access of a context, or of the pod that berth runs in. Throws what is missing. */
export async function kubeAccess(
  world: World,
  { context, file }: { context: string; file?: string | undefined },
): Promise<KubeAccess> {
  if (context === inCluster) return podAccess(world);
  const paths = file === undefined ? usualPaths(world) : [file];
  const configs = await readConfigs(world, paths);
  if (configs.length === 0) throw new BerthError('KUBECONFIG_MISSING', { paths, context });
  // Of two entries of one name the first holds, as for kubectl.
  const found = configs.flatMap(({ config }) => config.contexts).find(({ name }) => name === context);
  if (!found) {
    const known = configs.flatMap(({ config }) => config.contexts.map(({ name }) => name));
    throw new BerthError('KUBE_CONTEXT_UNKNOWN', { context, known, paths });
  }
  const cluster = entryOf(
    configs,
    ({ clusters }) => clusters.find(({ name }) => name === found.context.cluster)?.cluster,
  );
  if (!cluster)
    throw new BerthError('KUBECONFIG_UNREADABLE', {
      path: paths.join(':'),
      reason: `the context ${context} names a cluster that is not there`,
    });
  const user = entryOf(configs, ({ users }) => users.find(({ name }) => name === found.context.user)?.user);
  return accessOf(world, context, { cluster, user });
}

interface Read {
  readonly config: Config;
  /** Relative paths in it count from here. */
  readonly folder: string;
}

interface Entry<T> {
  readonly value: T;
  readonly folder: string;
}

function entryOf<T>(
  configs: readonly Read[],
  look: (config: Config) => T | null | undefined,
): Entry<T> | null {
  for (const { config, folder } of configs) {
    const value = look(config);
    if (value) return { value, folder };
  }
  return null;
}

function usualPaths({ env }: World): string[] {
  const told = env['KUBECONFIG']?.split(':').filter((path) => path !== '');
  return told && told.length > 0 ? told : [resolve(env['HOME'] ?? homedir(), '.kube/config')];
}

async function readConfigs(world: World, paths: readonly string[]): Promise<Read[]> {
  const configs: Read[] = [];
  for (const path of paths) {
    const written = await world.files.read(path).catch((error: unknown) => {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error);
      throw new BerthError('KUBECONFIG_UNREADABLE', { path, reason }, { cause: error });
    });
    if (written !== null) configs.push({ config: parsed(path, written), folder: dirname(resolve(path)) });
  }
  return configs;
}

function parsed(path: string, written: string): Config {
  try {
    return Config.parse(parse(written) ?? {});
  } catch (error) {
    // What it holds is secret, so nothing of it is shown.
    const reason = error instanceof z.ZodError ? 'it has not the form of a kubeconfig' : 'it is no YAML';
    throw new BerthError('KUBECONFIG_UNREADABLE', { path, reason });
  }
}

async function accessOf(
  world: World,
  context: string,
  { cluster, user }: { cluster: Entry<Cluster>; user: Entry<User> | null },
): Promise<KubeAccess> {
  const { value: at } = cluster;
  const who = user?.value;
  const other = at['proxy-url'] ? 'a proxy' : unsupported(who);
  if (other !== null) throw new BerthError('KUBE_LOGIN_UNSUPPORTED', { context, how: other });
  async function pem(from: Entry<unknown> | null, data: string | undefined, path: string | undefined) {
    if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
    if (path === undefined || !from) return undefined;
    const whole = resolve(from.folder, path);
    const read = await world.files.read(whole);
    if (read === null)
      throw new BerthError('KUBECONFIG_UNREADABLE', { path: whole, reason: 'it is not there' });
    return read;
  }
  const exec = who?.exec;
  const ca = await pem(cluster, at['certificate-authority-data'], at['certificate-authority']);
  return {
    context,
    server: at.server.replace(/\/+$/, ''),
    ca,
    insecure: at['insecure-skip-tls-verify'] ?? false,
    serverName: at['tls-server-name'],
    certificate: await pem(user, who?.['client-certificate-data'], who?.['client-certificate']),
    key: await pem(user, who?.['client-key-data'], who?.['client-key']),
    token: who?.token,
    tokenFile: who?.tokenFile === undefined ? undefined : resolve(user?.folder ?? '/', who.tokenFile),
    plugin: exec ? pluginOf(exec, { at, ca, cwd: user?.folder ?? '/' }) : undefined,
  };
}

function pluginOf(
  { command, args, env, apiVersion, provideClusterInfo, installHint }: Exec,
  { at, ca, cwd }: { at: Cluster; ca: string | undefined; cwd: string },
): KubePlugin {
  return {
    command,
    args: args ?? [],
    env: Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
    apiVersion,
    cwd,
    ...(provideClusterInfo ? { cluster: clusterInfo(at, ca) } : {}),
    ...(installHint === undefined ? {} : { hint: installHint }),
  };
}

/** As kubectl tells it a plugin that asks for it: the authority as text, and what stands under this name for plugins alone. */
function clusterInfo(at: Cluster, ca: string | undefined): Record<string, unknown> {
  const own = at.extensions?.find(({ name }) => name === 'client.authentication.k8s.io/exec');
  return {
    server: at.server,
    ...(at['tls-server-name'] === undefined ? {} : { 'tls-server-name': at['tls-server-name'] }),
    ...(at['insecure-skip-tls-verify'] ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca, 'utf8').toString('base64') }),
    ...(own ? { config: own.extension } : {}),
  };
}

function unsupported(user: User | undefined): string | null {
  if (user?.['auth-provider']) return 'an auth provider, which Kubernetes itself has given up';
  if (user?.username) return 'a user name and a password';
  if (user?.as) return 'acting as somebody else (impersonation)';
  return null;
}

async function podAccess(world: World): Promise<KubeAccess> {
  const host = world.env['KUBERNETES_SERVICE_HOST'];
  const ca = await world.files.read(`${podFolder}/ca.crt`);
  if (!host || ca === null)
    throw new BerthError('KUBECONFIG_MISSING', { paths: [`${podFolder}/ca.crt`], context: inCluster });
  return {
    context: inCluster,
    server: `https://${urlHost(host)}:${world.env['KUBERNETES_SERVICE_PORT'] ?? '443'}`,
    ca,
    insecure: false,
    serverName: undefined,
    certificate: undefined,
    key: undefined,
    token: undefined,
    tokenFile: `${podFolder}/token`,
    plugin: undefined,
  };
}
