import type { ScannedServer } from '../scan-report.ts';
import { ipVersion, listenAddress, meet } from './listen-address.ts';
import type { ObservedHost } from './observation.ts';

/** What has the port that a server wants and does not listen on, in its network; null where it listens, or nothing is in its way. Pure. */
export function portHolder(
  server: ScannedServer,
  { listeners }: Pick<ObservedHost, 'listeners'>,
): ObservedHost['listeners'][number] | null {
  const { wantedPort: port, netns } = server;
  if (port === null || netns === null || server.endpoints.some((endpoint) => endpoint.port === port))
    return null;
  const own = [server.process.pid, ...server.children.map((child) => child.pid)];
  const wanted = listenAddress(server.wantedHost ?? null, server.engine);
  const holder = listeners.find(
    (one) =>
      one.port === port &&
      one.netns === netns &&
      // A name may stand for any address.
      (ipVersion(wanted) === 0 || meet(wanted, one.address)) &&
      !(one.pid !== null && own.includes(one.pid)),
  );
  return holder ?? null;
}
