import type { ObservedHost, ObservedListener } from '../domain/audit/observation.ts';
import { nameOf } from '../domain/audit/server-words.ts';

/** Pairs on one port that are no conflict, and why; of those, the ones with a model server in them. Pure. */
export function harmlessPairs({ servers, listeners }: ObservedHost): string[] {
  const names = new Map(servers.map((server) => [server.process.pid, nameOf(server)]));
  const ports = Map.groupBy(listeners, (listener) => listener.port);
  return [...ports].flatMap(([port, on]) =>
    on.flatMap((one, at) =>
      on.slice(at + 1).flatMap((other) => {
        const known = [one, other].some(({ pid }) => pid !== null && names.has(pid));
        if (!known || (one.pid !== null && one.pid === other.pid)) return [];
        const who = [one, other].map((listener) => holder(listener, names)).join(' and ');
        if (one.netns !== other.netns)
          return [`Port ${port} of ${who}: two network namespaces, so they do not meet.`];
        return one.address !== other.address
          ? [`Port ${port} of ${who}: two addresses (${one.address}, ${other.address}).`]
          : [];
      }),
    ),
  );
}

function holder({ pid, program, uid }: ObservedListener, names: ReadonlyMap<number, string>): string {
  const known = pid === null ? undefined : names.get(pid);
  return known ?? (pid === null ? `a process of user ${uid}` : `${program ?? 'a program'} (process ${pid})`);
}
