import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Mark } from '../../domain/instance.ts';
import { isGiven } from '../../domain/secret.ts';
import { withoutHostWarning } from '../../domain/sudo-said.ts';
import type { ExecResult } from '../../io/exec.ts';
import { findProgram } from '../../io/find-program.ts';
import type { World } from '../../io/world.ts';
import type { UnitContainer } from './options.ts';
import { unitImageOf } from './quadlet.ts';
import { qualified } from './quadlet-text.ts';
import { asRoot, ofUser, reasonOf } from './scope.ts';
import type { Scope } from './scope.ts';

/** Later ones are over earlier ones for systemd, and one is as good as another here. */
const generatorFolders = [
  '/usr/lib/systemd',
  '/lib/systemd',
  '/usr/local/lib/systemd',
  '/etc/systemd',
  '/run/systemd',
];

/** Podman's program by which systemd makes units of Quadlet files. Throws QUADLET_MISSING. */
export async function generatorOf(world: World, scope: Scope, deployment: string): Promise<string> {
  const name = `podman-${scope.name}-generator`;
  const paths = generatorFolders.map((folder) => `${folder}/${scope.name}-generators/${name}`);
  const podman = await findProgram(world, 'podman');
  for (const path of podman === null ? [] : paths)
    if ((await world.files.stat(path).catch(() => null)) !== null) return path;
  const { stdout } = await world.exec.run(['podman', '--version'], { timeoutMs: 20_000 });
  const version = podman === null ? null : (/version (\S+)/.exec(stdout)?.[1] ?? 'of an unknown version');
  const { machine } = world;
  throw new BerthError('QUADLET_MISSING', { deployment, machine, version, sought: paths[0] ?? name });
}

/** Asks the podman of a scope, with that scope's rights. */
export function podman(
  world: World,
  scope: Scope,
  args: readonly string[],
  timeoutMs = 60_000,
): Promise<ExecResult> {
  const user = scope.name === 'user' ? ofUser(world) : [];
  return world.exec.run([...asRoot(scope), ...user, 'podman', ...args], { timeoutMs });
}

/** Whether the image is there. Throws IMAGE_MISSING where podman cannot even tell. */
export async function hasImage(
  world: World,
  scope: Scope,
  { deployment, image }: { deployment: string; image: string },
): Promise<boolean> {
  const result = await podman(world, scope, ['image', 'exists', qualified(image)]);
  if (scope.sudo && /^sudo:/m.test(withoutHostWarning(result.stderr)))
    throw new BerthError('BECOME_REFUSED', { reason: reasonOf(result) });
  if (result.code !== 0 && result.code !== 1)
    throw imageMissing(deployment, image, `podman fails over it: ${reasonOf(result)}`);
  return result.code === 0;
}

/** An image that a unit's container cannot have. */
export function imageMissing(deployment: string, image: string, reason: string): BerthError {
  const by = { option: 'target.container.image', program: 'podman' } as const;
  return new BerthError('IMAGE_MISSING', { deployment, image, reason, ...by });
}

/** Sees to it that the image is there before anything is written. Throws IMAGE_MISSING with what podman says. */
export async function ensureImage(
  world: World,
  scope: Scope,
  {
    mark,
    container,
    onProgress,
  }: { mark: Mark; container: UnitContainer; onProgress: (line: string) => void },
): Promise<void> {
  const image = unitImageOf(mark.spec, container) ?? '';
  const { deployment } = mark;
  const there = await hasImage(world, scope, { deployment, image });
  if (there && container.pull !== 'always') return;
  if (container.pull === 'never') throw imageMissing(deployment, image, 'pull is "never"');
  onProgress(`Fetching ${image}.`);
  const result = await podman(world, scope, ['pull', '--quiet', qualified(image)], pullMs);
  if (result.code !== 0) throw imageMissing(deployment, image, reasonOf(result));
}

/** Podman says nothing for a program while it fetches, so that silence is no sign. */
const pullMs = 6 * 3_600_000;

/** No container of somebody else has the name, which podman would replace. Throws CONTAINER_NAME_TAKEN. */
export async function expectNameFree(
  world: World,
  scope: Scope,
  { unit, deployment }: { unit: string; deployment: string },
): Promise<void> {
  const format = '{{index .Config.Labels "PODMAN_SYSTEMD_UNIT"}}';
  const { code, stdout } = await podman(world, scope, ['container', 'inspect', '--format', format, unit]);
  if (code === 0 && stdout.trim() !== `${unit}.service`)
    throw new BerthError('CONTAINER_NAME_TAKEN', { deployment, name: unit, program: 'podman' });
}

/**
 * The number of the user that the container runs as and that has to be given the files of secrets, which those that anybody may read are not; null where there are none, or root
 * reads them as they are. Throws CONTAINER_USER where that user has no number, or another one outside.
 */
export async function readerOfSecrets(
  world: World,
  scope: Scope,
  { mark, container }: { mark: Mark; container: UnitContainer },
): Promise<string | null> {
  if (Object.values(mark.spec.secrets).every(isGiven)) return null;
  const user = await userOf(world, scope, { mark, container });
  if (user === '0') return null;
  const fault = { deployment: mark.deployment, user };
  if (scope.name === 'user')
    throw new BerthError('CONTAINER_USER', {
      ...fault,
      reason: 'a podman without root gives users other numbers',
    });
  if (!/^\d+$/.test(user))
    throw new BerthError('CONTAINER_USER', { ...fault, reason: 'it is not named by its number' });
  return user;
}

/** Throws CONTAINER_USER where they cannot be given to that user. */
export async function giveSecrets(
  world: World,
  scope: Scope,
  { deployment, user, paths }: { deployment: string; user: string; paths: readonly string[] },
): Promise<void> {
  const argv = [...asRoot(scope), 'chown', '--', user, ...paths];
  const result = await world.exec.run(argv, { timeoutMs: 20_000 });
  if (result.code !== 0)
    throw new BerthError('CONTAINER_USER', { deployment, user, reason: reasonOf(result) });
}

async function userOf(
  world: World,
  scope: Scope,
  { mark, container }: { mark: Mark; container: UnitContainer },
): Promise<string> {
  const image = qualified(unitImageOf(mark.spec, container) ?? '');
  const asked =
    container.user ??
    (await podman(world, scope, ['image', 'inspect', '--format', '{{.Config.User}}', image])).stdout.trim();
  const [user = ''] = asked.split(':');
  return user === '' || user === 'root' ? '0' : user;
}
