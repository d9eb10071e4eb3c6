import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { thisMachine } from '../../domain/host-access.ts';
import { parseJson } from '../../domain/json.ts';
import type { TlsMaterial } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';

/** Where daemons may listen on a host, and how they are asked. */
export interface DaemonPlaces {
  /** "unix:///run/docker.sock", "tcp://box:2376", "ssh://me@box". */
  readonly all: readonly string[];
  /** Of one over TLS: what it is asked with. */
  readonly tls: TlsMaterial | null;
  /** Why what was named cannot be asked, as the end of a sentence. */
  readonly fault: { readonly named: string; readonly reason: string } | null;
}

const Settings = z.object({ currentContext: z.string().nullish() });

const Context = z.object({
  Endpoints: z.object({
    docker: z.object({ Host: z.string().nullish(), SkipTLSVerify: z.boolean().nullish() }).nullish(),
  }),
});

/** Of other machines, each connection asks once: each question is a way there and back. */
const known = new WeakMap<World['exec'], Promise<DaemonPlaces>>();

/** Where DOCKER_HOST says, else where Docker's context says, else in the usual places, Docker's before Podman's. */
export function daemonPlaces(world: World): Promise<DaemonPlaces> {
  if (world.machine === thisMachine) return look(world);
  const found = known.get(world.exec) ?? look(world);
  known.set(world.exec, found);
  found.catch(() => known.delete(world.exec));
  return found;
}

/** Where Docker's own programs keep what a user has set, logins and contexts. */
export function dockerFolder({ env, places }: World): string {
  return env['DOCKER_CONFIG'] || join(places.home, '.docker');
}

/** A place as a person is told of it: with its machine, where that is another. */
export function placeText(machine: string, where: string): string {
  return machine === thisMachine ? where : `${where} of ${machine}`;
}

async function look(world: World): Promise<DaemonPlaces> {
  const { env, files } = world;
  const folder = dockerFolder(world);
  const told = env['DOCKER_HOST'];
  if (told) {
    const verify = Boolean(env['DOCKER_TLS_VERIFY']);
    const overTls = told.startsWith('tcp:') && (verify || Boolean(env['DOCKER_TLS']));
    const tls = overTls ? await materialIn(world, env['DOCKER_CERT_PATH'] || folder, verify) : null;
    return { all: [told], tls, fault: null };
  }
  const settings = await files.read(join(folder, 'config.json')).catch(() => null);
  const current = Settings.safeParse(parseJson(settings ?? '')).data?.currentContext;
  const name = env['DOCKER_CONTEXT'] || current || 'default';
  return name === 'default'
    ? { all: usualPlaces(env), tls: null, fault: null }
    : ofContext(world, folder, name);
}

/** Where daemons of a machine listen that nobody has set up otherwise. */
export function usualPlaces(env: World['env']): string[] {
  const runtime = env['XDG_RUNTIME_DIR'];
  return [
    'unix:///var/run/docker.sock',
    ...(runtime ? [`unix://${runtime}/docker.sock`, `unix://${runtime}/podman/podman.sock`] : []),
    'unix:///run/podman/podman.sock',
  ];
}

/** A context lies in folders that are named by the hash of its own name. */
async function ofContext(world: World, folder: string, name: string): Promise<DaemonPlaces> {
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(folder, 'contexts/meta', id, 'meta.json');
  const text = await world.files.read(path).catch(() => null);
  const endpoint = Context.safeParse(parseJson(text ?? '')).data?.Endpoints.docker;
  const named = `the context ${name}`;
  if (!endpoint?.Host) {
    const reason = `there is no such context of Docker in ${folder} ("docker context ls" lists them)`;
    return { all: [], tls: null, fault: { named, reason } };
  }
  const secured = join(folder, 'contexts/tls', id, 'docker');
  const tls = await materialIn(world, secured, !endpoint.SkipTLSVerify);
  const has = tls.ca !== null || tls.cert !== null || !tls.verify;
  return { all: [endpoint.Host], tls: endpoint.Host.startsWith('tcp:') && has ? tls : null, fault: null };
}

async function materialIn({ files }: World, folder: string, verify: boolean): Promise<TlsMaterial> {
  const [ca, cert, key] = await Promise.all(
    ['ca.pem', 'cert.pem', 'key.pem'].map((name) => files.read(join(folder, name)).catch(() => null)),
  );
  return { ca: ca ?? null, cert: cert ?? null, key: key ?? null, verify };
}

/** The command that is a stream to the daemon of another machine, as Docker's own programs start it; null where the address is none. */
export function sshCommand(where: string): string[] | null {
  const url = URL.parse(where);
  if (url?.protocol !== 'ssh:' || url.hostname === '' || !/^[\w./-]*$/.test(url.pathname)) return null;
  const socket = url.pathname.length > 1 ? ['-H', `unix://${url.pathname}`] : [];
  return [
    'ssh',
    '-T',
    '-oBatchMode=yes',
    '-oConnectTimeout=15',
    ...(url.username ? ['-l', decodeURIComponent(url.username)] : []),
    ...(url.port ? ['-p', url.port] : []),
    '--',
    url.hostname.replaceAll(/^\[|\]$/g, ''),
    ['docker', ...socket, 'system', 'dial-stdio'].join(' '),
  ];
}
