import { withoutHostWarning } from '../../domain/sudo-said.ts';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { findProgram } from '../../io/find-program.ts';
import type { World } from '../../io/world.ts';

/** Asked once for a host: the rights of a user are those of its login. */
const known = new WeakMap<World['exec'], Map<string, Promise<readonly string[] | null>>>();

/**
 * The program that hands bytes to and fro between us and a socket that this user may not use and root may; null where the user needs
 * none, or may not become root, or there is no such program.
 */
export function throughSudo(world: World, where: string): Promise<readonly string[] | null> {
  if (world.become !== 'sudo' || world.uid === 0 || !where.startsWith('unix:')) return Promise.resolve(null);
  const places = known.get(world.exec) ?? new Map<string, Promise<readonly string[] | null>>();
  known.set(world.exec, places);
  const found = places.get(where) ?? lookUp(world, where);
  places.set(where, found);
  found.catch(() => places.delete(where));
  return found;
}

async function lookUp(world: World, where: string): Promise<readonly string[] | null> {
  const path = where.slice('unix://'.length);
  const may = await world.exec.run(['test', '-w', path], { timeoutMs: 10_000 });
  if (may.code === 0) return null;
  const [docker, podman] = await Promise.all([findProgram(world, 'docker'), findProgram(world, 'podman')]);
  if (docker !== null) return ['sudo', '-n', docker, '-H', where, 'system', 'dial-stdio'];
  return podman === null ? null : ['sudo', '-n', podman, '--url', where, 'system', 'dial-stdio'];
}

/** The last line of what a command through sudo said, as the end of a sentence; "" where it said nothing. */
export function lastSaid(stderr: string): string {
  return withoutHostWarning(stderr).trim().split('\n').at(-1)?.trim().replace(/\.$/, '') ?? '';
}

/** Why nothing came through it: the program says so to whoever runs it with nothing to hand over. */
export async function sudoFault(
  world: World,
  argv: readonly string[],
  { place, error }: { place: string; error: unknown },
): Promise<BerthError> {
  const { stderr } = await world.exec.run(argv, { input: '', timeoutMs: 20_000 });
  const said = lastSaid(stderr);
  if (said.startsWith('sudo:')) return new BerthError('BECOME_REFUSED', { reason: said }, { cause: error });
  const reason = said || 'the connection through sudo ended';
  return new BerthError('DOCKER_UNREACHABLE', { where: [place], reason }, { cause: error });
}
