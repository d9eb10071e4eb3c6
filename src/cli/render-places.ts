import { machineOf } from '../domain/host-access.ts';
import type { Hosts } from '../fleet/file/hosts.ts';
import type { RenderFormat } from '../render/contract.ts';

/** One machine, or one namespace of a cluster, that files are written for. */
export interface RenderPlace {
  /** As the file calls it; null: a cluster that the file does not know. */
  readonly host: string | null;
  /** Whether what stands for this host of the file goes there. */
  readonly has: (host: string) => boolean;
  /** Below what is written, with a slash at its end; empty where there is one place alone. */
  readonly folder: string;
}

/**
 * The places of a whole fleet, by the hosts of all that is written of it, in their order. Hosts that are one machine are one place. What
 * is of a machine is written for a cluster together with what is of the only one: it is not to become a cluster of its own. Pure.
 */
export function renderPlaces(
  hosts: Hosts,
  used: readonly string[],
  format: Pick<RenderFormat, 'place'>,
): readonly RenderPlace[] {
  const names = used.filter(
    (host, at) => used.findIndex((one) => machineOf(hosts[one]) === machineOf(hosts[host])) === at,
  );
  const clusters = names.filter((host) => hosts[host]?.kubernetes);
  if (format.place === 'cluster' && clusters.length < 2)
    return [{ host: clusters[0] ?? null, has: () => true, folder: '' }];
  return names.map((name) => ({
    ...placeOfHost(hosts, name),
    folder: names.length === 1 ? '' : `${name}/`,
  }));
}

/** The place of one host, whatever else there is. Pure. */
export function placeOfHost(hosts: Hosts, name: string): RenderPlace {
  return {
    host: name,
    has: (host) => machineOf(hosts[host]) === machineOf(hosts[name]),
    folder: '',
  };
}

/** Where the files of a place belong, as a sentence; null where nobody has to be told. Pure. */
export function belongsTo(hosts: Hosts, { host, folder }: RenderPlace): string | null {
  const { ssh, kubernetes } = (host === null ? undefined : hosts[host]) ?? {};
  if (ssh !== undefined) {
    const files = folder === '' ? 'The files are' : `${folder} is`;
    return `${files} for host ${host} (${ssh}): secrets are given from here, the rest is done there, in that folder.`;
  }
  if (folder === '') return null;
  return kubernetes
    ? `${folder} is for host ${host} (context ${kubernetes.context}, namespace ${kubernetes.namespace}).`
    : `${folder} is for host ${host} (this machine): what follows is done in that folder.`;
}
