import { deploymentOf, markOf } from '../../domain/audit/deployment-of.ts';
import type { Known, Place } from '../../domain/audit/deployment-of.ts';
import type { ObservedFleet } from '../../domain/audit/observation.ts';
import { endsOthers, modelName, ownerName, placeOf } from '../../domain/audit/server-words.ts';
import { stopCommands } from '../../domain/audit/stop-commands.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';

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

/** By the fleet's name for it, or by what it says that it serves. */
export function nameOf(server: ScannedServer, host: string, known: Known): string {
  return deploymentOf(server, host, known) ?? server.served[0] ?? modelName(server);
}

function keyOf(place: Place | null): string | null {
  return place && `${place.replica} ${place.deployment}`;
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
  // What ends with it would be started again too, or not at all.
  function restartedBy(restart: string): Record<string, string> {
    return endsOthers(server) ? {} : { restart };
  }
  if (kind === 'system-unit' || kind === 'user-unit')
    return {
      state: `systemctl ${user}status ${name}`,
      log: `journalctl ${user}-u ${name}`,
      ...restartedBy(`systemctl ${user}restart ${name}`),
      ...stopped,
    };
  const [tool, id] = name.split(' ');
  if (kind === 'container' && (tool === 'docker' || tool === 'podman'))
    return {
      state: `${tool} inspect ${id}`,
      log: `${tool} logs ${id}`,
      ...restartedBy(`${tool} restart ${id}`),
      ...stopped,
    };
  return stopped;
}
