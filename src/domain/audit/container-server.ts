import type { ScannedServer } from '../scan-report.ts';
import type { ObservedContainer, ObservedHost } from './observation.ts';

/** The server that a container's process is told as; undefined where rights, or a daemon elsewhere, hide it. */
export function serverOf(container: ObservedContainer, { servers }: ObservedHost): ScannedServer | undefined {
  if (container.state !== 'running') return undefined;
  const command = container.starts.command.join('\0');
  return servers.find(
    ({ owner, command: words }) =>
      (owner.kind === 'container' && isOf(owner.name, container.id)) ||
      (owner.kind === 'system-unit' && container.managedBy === `unit ${owner.name}`) ||
      (owner.kind === 'user-unit' && container.managedBy === `unit ${owner.name}`) ||
      words.join('\0') === command,
  );
}

/** Containers that no process stands for: what is wrong with their definition is told of themselves. */
export function unseenContainers(host: ObservedHost): ObservedContainer[] {
  // One of the fleet is told as its deployment while it runs.
  return host.containers.filter(
    (one) => !(one.marked && one.state === 'running') && serverOf(one, host) === undefined,
  );
}

/** "docker 3f2a…", of a container with this id. */
export function isOf(owner: string, id: string): boolean {
  const short = owner.split(' ')[1] ?? '';
  return short !== '' && id.startsWith(short);
}
