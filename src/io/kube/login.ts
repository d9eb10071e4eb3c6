import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { parseJson } from '../../domain/json.ts';
import type { ExecResult } from '../exec.ts';
import type { World } from '../world.ts';
import type { KubeAccess, KubePlugin } from './kube-config.ts';

/** What a question carries. Never log or print it. */
export interface Credentials {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

const Answer = z.object({
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

const pluginTimeoutMs = 30_000;
/** A little before it ends, so that no question goes out with what is just void. */
const marginMs = 10_000;

/** Gives the credentials of an access. A plugin is run once until what it gave ends, or until `again`. */
export function credentialsOf(world: World, access: KubeAccess): (again?: boolean) => Promise<Credentials> {
  let given: { credentials: Credentials; until: number } | null = null;
  const { certificate, key } = access;
  return async (again = false) => {
    if (access.plugin) {
      if (!given || again || given.until <= world.clock.wall().getTime())
        given = await runPlugin(world, access, access.plugin);
      return given.credentials;
    }
    if (access.token !== undefined) return { token: access.token, certificate, key };
    if (access.tokenFile === undefined) return { token: undefined, certificate, key };
    const token = (await world.files.read(access.tokenFile))?.trim();
    if (!token)
      throw new BerthError('KUBECONFIG_UNREADABLE', { path: access.tokenFile, reason: 'it holds no token' });
    return { token, certificate, key };
  };
}

async function runPlugin(
  world: World,
  { context }: KubeAccess,
  plugin: KubePlugin,
): Promise<{ credentials: Credentials; until: number }> {
  const { command, args, apiVersion, cwd, cluster } = plugin;
  const spec = { ...(cluster ? { cluster } : {}), interactive: false };
  const question = { apiVersion, kind: 'ExecCredential', spec };
  const env = Object.fromEntries(
    Object.entries({ ...world.env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(question) }).flatMap(
      ([name, value]) => (value === undefined ? [] : [[name, value]]),
    ),
  );
  const ended = await world.exec.run([command, ...args], {
    env,
    timeoutMs: pluginTimeoutMs,
    ...(command.includes('/') ? { cwd } : {}),
  });
  const answer = Answer.safeParse(parseJson(ended.stdout)).data?.status;
  if (ended.code !== 0 || !answer || (!answer.token && !answer.clientCertificateData)) {
    const reason = whyNot(ended, plugin).replace(/\.$/, '');
    throw new BerthError('KUBE_LOGIN_FAILED', { context, program: command, reason });
  }
  const ends = Date.parse(answer.expirationTimestamp ?? '');
  return {
    credentials: {
      token: answer.token,
      certificate: answer.clientCertificateData,
      key: answer.clientKeyData,
    },
    until: Number.isNaN(ends) ? Number.POSITIVE_INFINITY : ends - marginMs,
  };
}

/** In its own last words, where it has any. */
function whyNot({ code, signal, stderr }: ExecResult, { hint }: KubePlugin): string {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  if (code === 0) return 'it gives neither a token nor a certificate';
  if (code === null && / E(NOENT|ACCES)$/.test(said)) return missing(said.endsWith('ENOENT'), hint);
  if (said !== '') return said;
  return signal === null ? `it ended with ${code}` : `it gave no answer in ${pluginTimeoutMs / 1000} s`;
}

function missing(isMissing: boolean, hint: string | undefined): string {
  const what = isMissing ? 'there is no such program' : 'it may not be run';
  const told = hint?.trim().replaceAll(/\s*\n\s*/g, ' ') ?? '';
  return told === '' ? what : `${what} (${told})`;
}
