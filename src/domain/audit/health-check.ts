import type { ObservedContainer } from './observation.ts';
import { listenPort } from './server-port.ts';

/** The port that a health check asks, and that of the server, where they differ; null: they do not, or one is not known. */
export function wrongCheck({
  healthCheck,
  starts,
}: ObservedContainer): { readonly asked: number; readonly port: number } | null {
  const asked = askedPort(healthCheck ?? []);
  const port = listenPort(starts);
  return asked === null || port === null || asked === port ? null : { asked, port };
}

function askedPort(words: readonly string[]): number | null {
  const port = /(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):(\d+)/.exec(words.join(' '))?.[1];
  return port === undefined ? null : Number(port);
}
