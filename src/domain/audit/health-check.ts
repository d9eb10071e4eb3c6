import type { DefinedServer, ObservedContainer } from './observation.ts';
import { leavesOpen, usualPort } from './server-port.ts';

/** The port that a health check asks, and that of the server, where they differ; null: they do not, or one is not known. */
export function wrongCheck({
  healthCheck,
  starts,
}: ObservedContainer): { readonly asked: number; readonly port: number } | null {
  const asked = askedPort(healthCheck ?? []);
  const port = portOf(starts);
  return asked === null || port === null || asked === port ? null : { asked, port };
}

function askedPort(words: readonly string[]): number | null {
  const port = /(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)/.exec(words.join(' '))?.[1];
  return port === undefined ? null : Number(port);
}

/** All its variables are seen, so that one that is told nothing listens where its engine does by default. */
function portOf({ engine, port, command }: DefinedServer): number | null {
  return port ?? (leavesOpen(command) ? null : usualPort(engine));
}
