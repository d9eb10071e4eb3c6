import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { givenIn } from '../../domain/given-files.ts';
import type { DockerApi } from '../../io/docker-api.ts';
import { secretFile } from '../../io/given-file.ts';
import type { World } from '../../io/world.ts';
import type { StartRequest } from '../contract.ts';
import { DaemonInfo } from './answers.ts';
import type { Inspected } from './answers.ts';
import { must } from './daemon.ts';
import { inspect } from './observe.ts';
import { lastSaid } from './through-sudo.ts';
import { uidIn } from './user-in-image.ts';

/** What of the host is a container's own: its secrets, and the folders that it writes. */
export function ownFiles(request: StartRequest): {
  secret: (name: string) => string;
  work: (name: string) => string;
  all: string[];
} {
  const { spec, deployment, replica } = request.mark;
  function secret(name: string): string {
    return secretFile(request, name);
  }
  function work(name: string): string {
    return join(request.stateDir, 'work', `${deployment}-${replica}`, name);
  }
  // What is no secret can be read by anybody as it is.
  const secrets = Object.keys(spec.secrets).filter((name) => !(name in givenIn(spec)));
  return { secret, work, all: [...secrets.map(secret), ...spec.writable.map(work)] };
}

/**
 * A container that is made and not started yet gets its own files as the user that it runs as: they change hands and are opened to
 * nobody else. Throws CONTAINER_USER where they cannot.
 */
export async function giveFiles(
  world: World,
  api: DockerApi,
  { id, request }: { id: string; request: StartRequest },
): Promise<void> {
  const { all } = ownFiles(request);
  const container = all.length === 0 ? null : await inspect(api, id);
  if (!container) return;
  const { UsernsMode: mapped } = container.HostConfig;
  // Whoever has numbers of users mapped for this container knows which.
  if (mapped && mapped !== 'host') return;
  const { deployment } = request.mark;
  const user = (container.Config.User ?? '').split(':')[0] ?? '';
  const uid = await uidIn(api, id, user);
  const fault = { deployment, user: user || 'root' };
  if (uid === null)
    throw new BerthError('CONTAINER_USER', { ...fault, reason: 'its image knows no such user' });
  const maps = await mapsOf(world, api, mapped);
  if (reads(world, { uid, maps, container })) return;
  if (maps !== null)
    throw new BerthError('CONTAINER_USER', {
      ...fault,
      reason: 'the container engine gives users other numbers',
    });
  await changeHands(world, all, { uid, fault });
}

/** Whether what only berth's user may read can be read there. */
function reads(
  world: World,
  { uid, maps, container }: { uid: number; maps: 'rootless' | 'userns' | null; container: Inspected },
): boolean {
  if (maps === 'rootless') return uid === 0;
  if (maps === 'userns') return false;
  const { CapDrop: dropped } = container.HostConfig;
  const bound =
    Array.isArray(dropped) && dropped.some((one) => /^(all|(cap_)?dac_override)$/i.test(String(one)));
  return uid === world.uid || (uid === 0 && !bound);
}

async function mapsOf(world: World, api: DockerApi, mapped: unknown): Promise<'rootless' | 'userns' | null> {
  const { json } = await must(world, api, { method: 'GET', path: '/info', fine: [200] });
  const options = DaemonInfo.safeParse(json).data?.SecurityOptions ?? [];
  if (options.some((one) => one.startsWith('name=rootless'))) return 'rootless';
  return mapped !== 'host' && options.some((one) => one.startsWith('name=userns')) ? 'userns' : null;
}

async function changeHands(
  world: World,
  paths: readonly string[],
  { uid, fault }: { uid: number; fault: { deployment: string; user: string } },
): Promise<void> {
  const asRoot = world.uid === 0 ? [] : world.become === 'sudo' ? ['sudo', '-n'] : null;
  if (asRoot === null)
    throw new BerthError('CONTAINER_USER', { ...fault, reason: `berth may not give files to user ${uid}` });
  const argv = [...asRoot, 'chown', '--', String(uid), ...paths];
  const { code, stderr } = await world.exec.run(argv, { timeoutMs: 20_000 });
  if (code === 0) return;
  const said = lastSaid(stderr);
  if (said.startsWith('sudo:')) throw new BerthError('BECOME_REFUSED', { reason: said });
  throw new BerthError('CONTAINER_USER', { ...fault, reason: said || 'its files could not be given to it' });
}
