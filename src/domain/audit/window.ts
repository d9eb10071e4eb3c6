import type { ScannedServer } from '../scan-report.ts';

/** Programs of a desktop serve only once they are told to: until then they are windows, and no servers. */
const desktop: ReadonlySet<string> = new Set(['lm-studio', 'jan']);

/** A program of a desktop that serves nothing yet: nothing that is said of servers is true of it. */
export function isWindow({ engine, endpoints }: Pick<ScannedServer, 'engine' | 'endpoints'>): boolean {
  return desktop.has(engine) && endpoints.length === 0;
}
