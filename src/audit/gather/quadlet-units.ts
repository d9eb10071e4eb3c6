import type { DefinedServer } from '../../domain/audit/observation.ts';
import type { World } from '../../io/world.ts';
import type { Scope } from '../../targets/systemd/scope.ts';
import { valuesOf } from '../../targets/systemd/unit-text.ts';
import type { UnitText } from '../../targets/systemd/unit-text.ts';
import { definedServer } from './defined-server.ts';
import { publishedAs } from './published-as.ts';
import type { UnitFile } from './unit-files.ts';
import { unitWords } from './unit-words.ts';

/** Where podman looks for what it makes units of, later ones over earlier ones. */
export function quadletFolders(world: World, scope: Scope): string[] {
  if (scope.name === 'system')
    return ['/usr/share/containers/systemd', '/run/containers/systemd', '/etc/containers/systemd'];
  const home = world.env['XDG_CONFIG_HOME'] ?? `${world.env['HOME'] ?? ''}/.config`;
  return [
    '/etc/containers/systemd/users',
    `/etc/containers/systemd/users/${world.uid}`,
    `${home}/containers/systemd`,
  ];
}

/** The ".container" files there, by the names of the units that are made of them. Templates have no unit of their own. */
export async function quadletFiles(world: World, folders: readonly string[]): Promise<UnitFile[]> {
  const paths = new Map<string, string>();
  const drops: string[] = [];
  for (const folder of folders) {
    const names = await world.files.list(folder).catch(() => []);
    for (const name of names) {
      if (name.endsWith('.container.d')) drops.push(`${folder}/${name}`);
      if (name.endsWith('.container') && !name.endsWith('@.container')) paths.set(name, `${folder}/${name}`);
    }
  }
  return [...paths].map(([name, path]) => ({
    name: name.replace(/\.container$/, '.service'),
    path,
    dropIns: drops.filter((one) => one.endsWith(`/${name}.d`)).toReversed(),
  }));
}

/** The name of its unit where the file gives it one of its own. */
export function quadletName(unit: UnitText, name: string): string {
  const own = valuesOf(unit, 'Container', 'ServiceName').at(-1);
  return own === undefined || own === '' ? name : `${own.replace(/\.service$/, '')}.service`;
}

/** The name of its container, which podman calls after the unit where the file does not. */
export function quadletContainer(unit: UnitText, name: string): string {
  return valuesOf(unit, 'Container', 'ContainerName').at(-1) || `systemd-${name.replace(/\.service$/, '')}`;
}

/** Whether its unit is started at boot: nothing of it can be enabled, its own "[Install]" says so. */
export function quadletEnabled(unit: UnitText): boolean {
  return ['WantedBy', 'RequiredBy', 'UpheldBy'].some((key) => valuesOf(unit, 'Install', key).some(Boolean));
}

/** The server that its container runs, at the port of this machine under which it is published. */
export function quadletServer(
  unit: UnitText,
  env: Readonly<Record<string, string>>,
  partialEnv: boolean,
): DefinedServer | null {
  function last(key: string): string | undefined {
    return valuesOf(unit, 'Container', key).at(-1);
  }
  const words = unitWords(last('Exec') ?? '');
  const entrypoint = last('Entrypoint');
  const found = definedServer({
    image: last('Image') ?? null,
    command: entrypoint ? [entrypoint.replace(/^\["(.*)"\]$/, '$1')] : [],
    args: words,
    env,
    partialEnv,
  });
  if (!found || valuesOf(unit, 'Container', 'Network').some((one) => one.startsWith('host'))) return found;
  return { ...found, ...publishedAs(valuesOf(unit, 'Container', 'PublishPort'), found.port) };
}
