import type { ObservedHost } from '../../domain/audit/observation.ts';
import { serverOf } from '../../domain/audit/container-server.ts';
import { nameOf, subjectOf } from '../../domain/audit/server-words.ts';
import { isSameModel } from '../../domain/audit/same-model.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import type { Found } from './contract.ts';

/**
 * Servers of different models that listen at one address and port, each by a socket of its own (SO_REUSEPORT): the kernel gives
 * each request to whichever it likes. Those whose definitions are told already are left out.
 */
export function sharedPorts(host: ObservedHost, told: readonly Found[]): Found[] {
  const { servers } = host;
  return servers.flatMap((one, at) =>
    servers.slice(at + 1).flatMap((other) => {
      const shared = sharedPlace(one, other, host);
      const names = [one, other].map((server) => definedAs(server, host));
      const isTold = told.some((found) =>
        names.every((own) => own.some((name) => found.names?.includes(name))),
      );
      if (!shared || isTold) return [];
      return [
        {
          object: `${nameOf(one)} and ${nameOf(other)}`,
          names: [one, other].flatMap((server) => subjectOf(server, host).names),
          message: `Both listen on port ${shared.port}: each request reaches one of them by chance.`,
          evidence: [one, other].map((server) => `${nameOf(server)}: ${shared.address}:${shared.port}`),
          cure: 'Give one of them another port.',
        },
      ];
    }),
  );
}

/** As definitions are called: its unit, or the container that it is the server of. */
function definedAs(server: ScannedServer, host: ObservedHost): string[] {
  const containers = host.containers.filter((one) => serverOf(one, host) === server);
  return [server.owner.name, ...containers.map(({ name }) => `container ${name}`)];
}

function sharedPlace(
  one: ScannedServer,
  other: ScannedServer,
  { listeners }: ObservedHost,
): { address: string; port: number } | null {
  const isHidden = one.netns === null || other.netns === null;
  const isOneModel = one.model === other.model || isSameModel(one.modelId, other.modelId);
  if (isHidden || (one.engine === other.engine && isOneModel)) return null;
  function isSame(a: { address: string; port: number; netns: string }, b: typeof a): boolean {
    return a.address === b.address && a.port === b.port && a.netns === b.netns;
  }
  return (
    one.endpoints.find(
      (place) =>
        other.endpoints.some((theirs) => isSame(place, theirs)) &&
        listeners.filter((socket) => isSame(place, socket)).length > 1,
    ) ?? null
  );
}
