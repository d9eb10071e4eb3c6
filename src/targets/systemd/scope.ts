import { join } from 'node:path';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { withoutHostWarning } from '../../domain/sudo-said.ts';
import type { Mark } from '../../domain/instance.ts';
import type { ExecResult } from '../../io/exec.ts';
import type { World } from '../../io/world.ts';

/** One manager of systemd: the machine's, or the one of the user that berth runs as. */
export interface Scope {
  readonly name: 'system' | 'user';
  /** Where its units lie that are made by hand or by berth. */
  readonly units: string;
  /** Where podman reads what it makes units of. */
  readonly containers: string;
  /** Where their environment and secrets lie, for its manager alone. */
  readonly config: string;
  /** Where its units' caches lie; a user of a unit's own has them behind a door. */
  readonly caches: readonly string[];
  /** What changes it: as root, or through sudo; the user's own needs neither. */
  readonly sudo: boolean;
}

const timeoutMs = 90_000;

export function systemScope(world: World): Scope {
  const sudo = world.become === 'sudo' && world.uid !== 0;
  return {
    name: 'system',
    units: '/etc/systemd/system',
    containers: '/etc/containers/systemd',
    config: '/etc/berth/units',
    caches: ['/var/cache/private', '/var/cache'],
    sudo,
  };
}

export function userScope(world: World): Scope {
  const home = world.env['HOME'] ?? '/';
  const config = world.env['XDG_CONFIG_HOME'] ?? join(home, '.config');
  return {
    name: 'user',
    units: join(config, 'systemd/user'),
    containers: join(config, 'containers/systemd'),
    config: join(config, 'berth/units'),
    caches: [world.env['XDG_CACHE_HOME'] ?? join(home, '.cache')],
    sudo: false,
  };
}

/** Where units of this host go: to the system where berth may change it, else to the user. */
export function scopeOf(world: World): Scope {
  return world.become === 'sudo' || world.uid === 0 ? systemScope(world) : userScope(world);
}

/** The drop-in with the mark of a unit; those of others whose names come later go over it. */
export const dropInName = '10-berth.conf';

/** Where a unit that systemd reads as it stands lies. */
export function unitPath(scope: Scope, unit: string): string {
  return join(scope.units, `${unit}.service`);
}

/** Where the mark of a unit lies. */
export function dropInPath(scope: Scope, unit: string): string {
  return join(scope.units, `${unit}.service.d`, dropInName);
}

/** The folders around the caches of one place, innermost first: empty once "systemctl clean" has run. */
export function cacheFolders(scope: Scope, mark: Mark): string[] {
  const { fleet, fleetId, deployment, replica } = mark;
  const fleetFolder = `berth/${fleet}-${fleetId}`;
  const folders = [`${fleetFolder}/${deployment}-${replica}`, fleetFolder, 'berth'];
  return scope.caches.flatMap((cache) => folders.map((folder) => join(cache, folder)));
}

export function scopeNamed(world: World, name: string): Scope {
  return name === 'user' ? userScope(world) : systemScope(world);
}

/** Asks systemd; nothing is changed, so no rights are needed. */
export function ask(world: World, scope: Scope, args: readonly string[]): Promise<ExecResult> {
  return world.exec.run([...systemctl(world, scope), ...args], { timeoutMs });
}

function systemctl(world: World, scope: Scope): string[] {
  return scope.name === 'user' ? [...ofUser(world), 'systemctl', '--user'] : ['systemctl'];
}

/** Without a login (cron, su, sshd without PAM) nobody says where the user's manager is; it is always there. */
export function ofUser(world: World): string[] {
  return world.env['XDG_RUNTIME_DIR'] ? [] : ['env', `XDG_RUNTIME_DIR=/run/user/${world.uid}`];
}

/** Has systemd do something. Throws BECOME_REFUSED, SYSTEMD_UNREACHABLE or SYSTEMD_FAILED. */
export async function tell(
  world: World,
  scope: Scope,
  { args, unit, what }: { args: readonly string[]; unit: string; what: string },
): Promise<void> {
  const result = await world.exec.run([...asRoot(scope), ...systemctl(world, scope), ...args], { timeoutMs });
  if (result.code !== 0) throw faultOf(scope, result, { unit, what });
}

export function asRoot(scope: Scope): string[] {
  return scope.sudo ? ['sudo', '-n'] : [];
}

export function faultOf(
  scope: Scope,
  result: ExecResult,
  { unit, what }: { unit: string; what: string },
): BerthError {
  const reason = reasonOf(result);
  if (scope.sudo && (/^sudo:/m.test(reason) || result.code === null))
    return new BerthError('BECOME_REFUSED', { reason });
  if (result.code === null || /connect to bus|booted with systemd/i.test(reason))
    return new BerthError('SYSTEMD_UNREACHABLE', { scope: scope.name, reason });
  return new BerthError('SYSTEMD_FAILED', { unit, what, reason });
}

export function reasonOf(result: ExecResult): string {
  const text = (withoutHostWarning(result.stderr) || result.stdout).trim().split('\n').slice(-3).join('; ');
  return text === '' ? `exit code ${result.code ?? 'unknown'}` : text.replace(/\.$/, '');
}
