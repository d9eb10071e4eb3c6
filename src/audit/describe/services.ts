import type { KubeObject, Workload } from '../../domain/audit/kube-object.ts';
import type { ObservedFleet, ObservedHost } from '../../domain/audit/observation.ts';
import { modelName, ownerName, placeOf } from '../../domain/audit/server-words.ts';
import { podWithMaker, stopCommands } from '../../domain/audit/stop-commands.ts';
import { isLoopback } from '../../domain/loopback.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { z } from 'zod';

/** One server as an operator keeps it in mind. */
export interface Service {
  readonly host: string;
  readonly name: string;
  readonly engine: string;
  readonly model: string;
  readonly keptBy: string;
  readonly listens: string;
  readonly state: string;
  readonly slots: number | null;
  readonly context: number | null;
  readonly memoryBytes: number | null;
  readonly gpuBytes: number | null;
  /** Model names under which the gateway reaches it. */
  readonly routes: readonly string[];
  readonly manage: Readonly<Record<string, string>>;
}

/** What of an observation says whose a server is. */
export interface Known {
  readonly hosts: readonly ObservedHost[];
  readonly fleet: ObservedFleet | null;
  readonly objects: readonly KubeObject[];
  readonly workloads: readonly Workload[];
}

type Place = Pick<ObservedFleet['instances'][number], 'deployment' | 'replica'>;

/** Servers that were seen on machines, and what else of the fleet runs, as in a cluster; each once. Pure. */
export function servicesOf(known: Known): Service[] {
  const { hosts, fleet } = known;
  const seen = hosts.flatMap(({ host, servers }) => servers.map((server) => ({ host, server })));
  const places = new Set(seen.flatMap(({ server }) => keyOf(markOf(server, known)) ?? []));
  const others = (fleet?.instances ?? []).filter((one) => one.alive && !places.has(keyOf(one) ?? ''));
  return [
    ...seen.map(({ host, server }) => serviceOf(server, host, known)),
    ...others.flatMap((one) => (fleet ? [ofInstance(one, fleet)] : [])),
  ].toSorted((a, b) => a.host.localeCompare(b.host) || a.name.localeCompare(b.name));
}

/** The deployment of the fleet that this server is of, by its mark or, of one that is only reached, by its URL; else null. */
export function deploymentOf(server: ScannedServer, host: string, known: Known): string | null {
  return markOf(server, known)?.deployment ?? reachedAs(server, host, known.fleet);
}

/** By the fleet's name for it, or by what it says that it serves. */
export function nameOf(server: ScannedServer, host: string, known: Known): string {
  return deploymentOf(server, host, known) ?? server.served[0] ?? modelName(server);
}

function keyOf(place: Place | null): string | null {
  return place && `${place.replica} ${place.deployment}`;
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

/** A mark of this fleet. That of a pod stands on the object that makes it. */
function markOf({ mark, owner }: ScannedServer, { fleet, ...known }: Known): Place | null {
  if (mark !== null) return mark.fleet === fleet?.name ? mark : null;
  const maker = owner.kind === 'pod' ? podWithMaker(owner.name, known)?.maker : undefined;
  const { data } = OfFleet.safeParse(maker?.metadata);
  return data && data.labels['berth.dev/fleet'] === fleet?.name ? data.annotations['berth.dev/mark'] : null;
}

/** A deployment whose URL leads to this server; an address that is not of this machine names it in full. */
function reachedAs(server: ScannedServer, host: string, fleet: ObservedFleet | null): string | null {
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

function serviceOf(server: ScannedServer, host: string, known: Known): Service {
  const { fleet } = known;
  const place = markOf(server, known);
  const deployment = deploymentOf(server, host, known);
  return {
    host,
    name: nameOf(server, host, known),
    engine: server.version === null ? server.engine : `${server.engine} ${server.version}`,
    model: server.model ?? '-',
    keptBy: keeperOf(server, place, fleet),
    listens: placeOf(server),
    state: server.state,
    slots: server.told.slots,
    context: server.told.context,
    memoryBytes: server.rssBytes,
    gpuBytes: server.gpuBytes,
    routes: routesTo(deployment, fleet),
    manage: place === null ? commandsOf(server, known) : ownCommands(place.deployment),
  };
}

/** What runs where no processes are looked at: only what its mark and the file say of it is known. */
function ofInstance(instance: ObservedFleet['instances'][number], fleet: ObservedFleet): Service {
  const { deployment, object, trouble, listens } = instance;
  const stated = fleet.deployments.find((one) => one.name === deployment);
  return {
    host: stated?.host ?? '-',
    name: deployment,
    engine: stated?.engine ?? '-',
    model: stated?.model ?? '-',
    keptBy: `${object}, of the fleet ${fleet.name}`,
    listens: listens ?? '-',
    state: trouble ?? 'runs',
    slots: null,
    context: null,
    memoryBytes: null,
    gpuBytes: null,
    routes: routesTo(deployment, fleet),
    manage: ownCommands(deployment),
  };
}

function routesTo(deployment: string | null, fleet: ObservedFleet | null): string[] {
  if (deployment === null || fleet === null) return [];
  return fleet.gateway.routes.filter((route) => route.to.includes(deployment)).map((route) => route.name);
}

/** "unit mistral.service, of the fleet lab" */
function keeperOf(server: ScannedServer, place: Place | null, fleet: ObservedFleet | null): string {
  if (place === null)
    return server.mark === null
      ? ownerName(server)
      : `process ${server.process.pid}, of the fleet ${server.mark.fleet}`;
  const object = fleet?.instances.find((one) => keyOf(one) === keyOf(place));
  return `${object?.object ?? `process ${server.process.pid}`}, of the fleet ${fleet?.name}`;
}

function ownCommands(deployment: string): Record<string, string> {
  return {
    state: 'berth status',
    log: `berth logs ${deployment}`,
    restart: `berth restart ${deployment}`,
    stop: `berth stop ${deployment}`,
    start: `berth start ${deployment}`,
  };
}

/** Nothing where no command is known that can be typed. */
function commandsOf(server: ScannedServer, known: Known): Record<string, string> {
  const { kind, name } = server.owner;
  const user = kind === 'user-unit' ? '--user ' : '';
  const stop = stopCommands(server, known).join(' && ');
  const stopped = stop === '' ? {} : { stop };
  if (kind === 'system-unit' || kind === 'user-unit')
    return {
      state: `systemctl ${user}status ${name}`,
      log: `journalctl ${user}-u ${name}`,
      restart: `systemctl ${user}restart ${name}`,
      ...stopped,
    };
  const [tool, id] = name.split(' ');
  if (kind === 'container' && (tool === 'docker' || tool === 'podman'))
    return {
      state: `${tool} inspect ${id}`,
      log: `${tool} logs ${id}`,
      restart: `${tool} restart ${id}`,
      ...stopped,
    };
  return stopped;
}
