import { z } from 'zod';
import { isLoopback } from '../loopback.ts';
import type { ScannedServer } from '../scan-report.ts';
import type { KubeObject, Workload } from './kube-object.ts';
import type { ObservedFleet, ObservedHost } from './observation.ts';
import { podWithMaker } from './stop-commands.ts';

/** What of an observation says whose a server is. */
export interface Known {
  readonly hosts: readonly ObservedHost[];
  readonly fleet: ObservedFleet | null;
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
}

export type Place = Pick<ObservedFleet['instances'][number], 'deployment' | 'replica'>;

/** The deployment of the fleet that this server is of, by its mark or, of one that is only reached, by its URL; else null. Pure. */
export function deploymentOf(server: ScannedServer, host: string, known: Known): string | null {
  return markOf(server, known)?.deployment ?? reachedAs(server, host, known.fleet);
}

const OfFleet = z.object({
  labels: z.object({ 'berth.dev/fleet': z.string() }),
  annotations: z.object({
    'berth.dev/mark': z
      .string()
      .transform((text, context): unknown => {
        try {
          return JSON.parse(text);
        } catch {
          context.addIssue('no JSON');
          return z.NEVER;
        }
      })
      .pipe(z.object({ deployment: z.string(), replica: z.int() })),
  }),
});

/** A mark of this fleet. That of a pod stands on the object that makes it. Pure. */
export function markOf({ mark, owner }: ScannedServer, { fleet, ...known }: Known): Place | null {
  if (mark !== null) return mark.fleet === fleet?.name ? mark : null;
  const maker = owner.kind === 'pod' ? podWithMaker(owner.name, known)?.maker : undefined;
  const { data } = OfFleet.safeParse(maker?.metadata);
  return data && data.labels['berth.dev/fleet'] === fleet?.name ? data.annotations['berth.dev/mark'] : null;
}

/** A deployment whose URL leads to this server; an address that is not of this machine names it in full. */
function reachedAs(server: ScannedServer, host: string, fleet: ObservedFleet | null): string | null {
  const seen = fleet?.reached.find((one) => one.host === host && one.pid === server.process.pid);
  if (seen) return seen.deployment;
  const found = fleet?.deployments.find(({ external, options }) => {
    const url = URL.parse(external && typeof options['url'] === 'string' ? options['url'] : '');
    if (!url) return false;
    const name = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    return server.endpoints.some(
      (one) =>
        one.port === port &&
        (one.address === name ||
          (host === 'local' && one.here && (name === 'localhost' || isLoopback(name)))),
    );
  });
  return found?.name ?? null;
}
