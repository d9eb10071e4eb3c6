import type { DefinedServer, ObservedContainer } from '../../domain/audit/observation.ts';
import { startedContainer } from './run-line.ts';

/** Asks for the containers of a machine, where a unit makes that necessary. */
export type Containers = () => Promise<readonly ObservedContainer[]>;

/**
 * The server of a unit that only starts a container that is there, at the port of this machine under which it is reached. Null for
 * every other command, and where that container runs no model server.
 */
export async function startedServer(
  argv: readonly string[],
  containers: Containers,
): Promise<{ starts: DefinedServer; container: string } | null> {
  const named = startedContainer(argv);
  if (!named) return null;
  const found = (await containers()).find(
    ({ tool, name, id }) =>
      tool === named.tool &&
      (name === named.container ||
        (/^[0-9a-f]{12,}$/.test(named.container) && id.startsWith(named.container))),
  );
  return found ? { starts: { ...found.starts, ...reachedAt(found) }, container: found.name } : null;
}

function reachedAt({ shares, published, starts }: ObservedContainer): Pick<DefinedServer, 'host' | 'port'> {
  if (shares.includes('network')) return starts;
  const place =
    published.find(({ to }) => to === starts.port) ?? (published.length === 1 ? published[0] : null);
  return { host: place?.address ?? null, port: place?.port ?? null };
}
