import { BerthError } from '../../domain/errors/berth-error.ts';
import { thisMachine } from '../../domain/host-access.ts';
import { dockerApi } from '../../io/docker-api.ts';
import type { DockerAnswer, DockerApi, DockerQuestion } from '../../io/docker-api.ts';
import type { World } from '../../io/world.ts';
import { Answered, Version } from './answers.ts';
import { daemonPlaces, placeText, sshCommand, usualPlaces } from './places.ts';
import { sudoFault, throughSudo } from './through-sudo.ts';

/** The daemons whose sockets are there; of a place over TCP that is not known before it is asked. */
export async function daemonsHere(world: World): Promise<DockerApi[]> {
  return world.cluster ? [] : daemonsIn(world, (await daemonPlaces(world)).all);
}

/** Those that have containers of this machine: who has chosen another daemon may have some at the usual ones all the same. */
export async function daemonsOnSockets(world: World): Promise<DockerApi[]> {
  const { all } = await daemonPlaces(world);
  const places = [...new Set([...all, ...usualPlaces(world.env)])];
  return daemonsIn(
    world,
    places.filter((where) => where.startsWith('unix:')),
  );
}

async function daemonsIn(world: World, all: readonly string[]): Promise<DockerApi[]> {
  const places = all.filter((where) => /^(unix|tcp|http|ssh):\/\//.test(where));
  const sockets = places.filter((where) => where.startsWith('unix:'));
  const there = await (world.machine === thisMachine ? socketsHere : socketsThere)(world, sockets);
  const found = places.filter((where) => !sockets.includes(where) || there.includes(where));
  return Promise.all(found.map((where) => daemonAt(world, where)));
}

async function socketsHere(world: World, places: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    places.map(async (where) => {
      // One that rights hide is asked all the same, so that it says so.
      const hidden = { size: 0 };
      return (await world.files.stat(pathOf(where)).catch(() => hidden)) ? [where] : [];
    }),
  );
  return found.flat();
}

/** The same of another machine, by one question. */
async function socketsThere(world: World, places: readonly string[]): Promise<string[]> {
  const script = 'for p do [ ! -S "$p" ] || echo "$p"; done';
  const argv = ['sh', '-c', script, 'sh', ...places.map(pathOf)];
  const { code, stdout } = await world.exec.run(argv, { timeoutMs: 20_000 });
  if (code !== 0) {
    const where = places.map((one) => placeText(world.machine, one));
    throw new BerthError('DOCKER_UNREACHABLE', { where, reason: 'it is not told in time what is there' });
  }
  const paths = stdout.split('\n');
  return places.filter((where) => paths.includes(pathOf(where)));
}

function pathOf(where: string): string {
  return where.slice('unix://'.length);
}

/** A daemon by where it listens on its host; by which way that is reached from here is no part of its name. */
export async function daemonAt(world: World, where: string): Promise<DockerApi> {
  const argv = sshCommand(where) ?? (await throughSudo(world, where));
  if (argv !== null) return dockerApi(() => world.exec.pipe(argv), where);
  const { all, tls } = await daemonPlaces(world);
  return dockerApi(await world.reach(where), where, all.includes(where) ? tls : null);
}

export interface Daemon {
  readonly api: DockerApi;
  readonly podman: boolean;
}

/** The daemon that new containers are given to: the first that answers. Throws DOCKER_UNREACHABLE or DOCKER_FORBIDDEN. */
export async function daemonOf(world: World): Promise<Daemon> {
  let fault: BerthError | null = null;
  for (const api of await daemonsHere(world)) {
    try {
      const { json } = await asked(world, api, 'GET', '/version');
      const version = Version.safeParse(json).data;
      return { api, podman: version?.Components?.some(({ Name }) => /podman/i.test(Name)) ?? false };
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      fault ??= error;
    }
  }
  throw fault ?? (await noDaemon(world));
}

export async function noDaemon(world: World): Promise<BerthError> {
  const { all, fault } = await daemonPlaces(world);
  const where = (fault ? [fault.named] : all).map((one) => placeText(world.machine, one));
  return new BerthError('DOCKER_UNREACHABLE', { where, reason: fault?.reason ?? 'there is no such socket' });
}

/** One question with the faults of the way told as ours; any status is an answer. */
export async function asked(
  world: World,
  api: DockerApi,
  method: string,
  path: string,
  how?: DockerQuestion,
): Promise<DockerAnswer> {
  try {
    return await api.ask(method, path, how);
  } catch (error) {
    throw await wayFault(world, api.where, error);
  }
}

/** The same, where only these statuses are an answer. Throws DOCKER_REFUSED with what the daemon says. */
export async function must(
  world: World,
  api: DockerApi,
  question: { method: string; path: string; fine: readonly number[] } & DockerQuestion,
): Promise<DockerAnswer> {
  const { method, path, fine, ...how } = question;
  const answer = await asked(world, api, method, path, how);
  if (fine.includes(answer.status)) return answer;
  throw new BerthError('DOCKER_REFUSED', {
    question: `${method} ${path.split('?')[0]}`,
    status: answer.status,
    answer: sayingOf(answer),
  });
}

/** What a daemon says of a question that it refuses, as the end of a sentence. */
export function sayingOf({ json, status }: DockerAnswer): string {
  const { message, cause } = Answered.safeParse(json).data ?? {};
  return (message ?? cause ?? `it says no more than ${status}`).trim().replace(/\.$/, '');
}

export async function wayFault(world: World, where: string, error: unknown): Promise<BerthError> {
  const { code, name, message } = error as NodeJS.ErrnoException;
  const place = placeText(world.machine, where);
  const user = world.env['USER'] ?? 'of berth';
  if (code === 'EACCES' || code === 'EPERM')
    return new BerthError('DOCKER_FORBIDDEN', { where: place, user }, { cause: error });
  if (code === 'BECOME_REFUSED') return error as BerthError;
  const late = name === 'TimeoutError' || name === 'AbortError' || code === 'ABORT_ERR';
  const argv = await throughSudo(world, where);
  if (argv !== null && !late) return await sudoFault(world, argv, { place, error });
  // Over ssh the connection is taken here, and falls when the socket there cannot be opened, before or after the question was written.
  const fallen = code === 'ECONNRESET' || code === 'EPIPE' || message === 'socket hang up';
  const fell = world.machine !== thisMachine && fallen;
  if (fell && where.startsWith('unix:')) {
    const may = await world.exec.run(['test', '-w', pathOf(where)], { timeoutMs: 10_000 });
    if (may.code === 1) return new BerthError('DOCKER_FORBIDDEN', { where: place, user }, { cause: error });
  }
  const reason = late
    ? 'it does not answer in time'
    : fell
      ? 'nothing answers there, or sshd forwards no sockets (AllowStreamLocalForwarding)'
      : (code ?? message);
  return new BerthError('DOCKER_UNREACHABLE', { where: [place], reason }, { cause: error });
}
