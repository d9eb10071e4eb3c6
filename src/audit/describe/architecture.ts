import type { ObservedFleet, ObservedHost, Observation } from '../../domain/audit/observation.ts';
import { modelName, ownerName, placeOf, stopCommand } from '../../domain/audit/server-words.ts';
import type { Finding } from '../../domain/finding.ts';
import type { ScannedServer } from '../../domain/scan-report.ts';
import { findingsIn } from '../audit.ts';

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

/** What runs where, why and how, at one moment. */
export interface Architecture {
  readonly at: string;
  readonly fleet: { readonly name: string; readonly file: string } | null;
  readonly hosts: readonly Pick<ObservedHost, 'host' | 'hardware'>[];
  readonly services: readonly Service[];
  /** Deployments of the file that do not run. */
  readonly absent: readonly { readonly name: string; readonly why: string }[];
  readonly ports: readonly { readonly host: string; readonly port: number; readonly who: string }[];
  readonly gateway: ObservedFleet['gateway'] | null;
  readonly findings: readonly Finding[];
}

/** Pure: it says what the observation says, and nothing that somebody meant. */
export function architectureOf(observation: Observation): Architecture {
  const { at, hosts, fleet } = observation;
  const services = hosts.flatMap((host) => host.servers.map((server) => serviceOf(server, host, fleet)));
  return {
    at,
    fleet: fleet && { name: fleet.name, file: fleet.file },
    hosts: hosts.map(({ host, hardware }) => ({ host, hardware })),
    services: services.toSorted((a, b) => a.host.localeCompare(b.host) || a.name.localeCompare(b.name)),
    absent: absentOf(fleet, services),
    ports: portsOf(observation),
    gateway: fleet && fleet.gateway.routes.length > 0 ? fleet.gateway : null,
    findings: findingsIn(observation),
  };
}

function isOf(server: ScannedServer, fleet: ObservedFleet | null): boolean {
  return server.mark !== null && server.mark.fleet === fleet?.name;
}

function serviceOf(server: ScannedServer, { host }: ObservedHost, fleet: ObservedFleet | null): Service {
  const deployment = isOf(server, fleet) ? (server.mark?.deployment ?? null) : null;
  return {
    host,
    name: deployment ?? server.served[0] ?? modelName(server),
    engine: server.version === null ? server.engine : `${server.engine} ${server.version}`,
    model: server.model ?? '-',
    keptBy: keeperOf(server, fleet),
    listens: placeOf(server),
    state: server.state,
    slots: server.told.slots,
    context: server.told.context,
    memoryBytes: server.rssBytes,
    gpuBytes: server.gpuBytes,
    routes: (fleet?.gateway.routes ?? [])
      .filter((route) => deployment !== null && route.to.includes(deployment))
      .map((route) => route.name),
    manage: commandsOf(server, deployment),
  };
}

/** "unit mistral.service, of the fleet lab" */
function keeperOf(server: ScannedServer, fleet: ObservedFleet | null): string {
  if (server.mark === null) return ownerName(server);
  const { deployment, replica } = server.mark;
  const object = fleet?.instances.find((one) => one.deployment === deployment && one.replica === replica);
  const what = isOf(server, fleet) ? object?.object : undefined;
  return `${what ?? `process ${server.process.pid}`}, of the fleet ${server.mark.fleet}`;
}

function commandsOf(server: ScannedServer, deployment: string | null): Record<string, string> {
  if (deployment !== null)
    return {
      state: 'berth status',
      log: `berth logs ${deployment}`,
      restart: `berth restart ${deployment}`,
      stop: `berth stop ${deployment}`,
      start: `berth start ${deployment}`,
    };
  const { kind, name } = server.owner;
  const user = kind === 'user-unit' ? '--user ' : '';
  if (kind === 'system-unit' || kind === 'user-unit')
    return {
      state: `systemctl ${user}status ${name}`,
      log: `journalctl ${user}-u ${name}`,
      restart: `systemctl ${user}restart ${name}`,
      stop: stopCommand(server),
    };
  const [tool, id] = name.split(' ');
  if (kind === 'container' && (tool === 'docker' || tool === 'podman'))
    return {
      state: `${tool} inspect ${id}`,
      log: `${tool} logs ${id}`,
      restart: `${tool} restart ${id}`,
      stop: `${tool} stop ${id}`,
    };
  return { stop: stopCommand(server) };
}

function absentOf(fleet: ObservedFleet | null, services: readonly Service[]): Architecture['absent'] {
  return (fleet?.deployments ?? [])
    .filter((one) => !fleet?.instances.some((instance) => instance.deployment === one.name && instance.alive))
    .filter((one) => !services.some((service) => service.name === one.name))
    .map(({ name, onDemand, external }) => ({
      name,
      why: external ? 'is a server elsewhere' : onDemand ? 'is started by its first request' : 'does not run',
    }));
}

/** Ports of model servers and those that the file keeps, of each machine. */
function portsOf({ hosts, fleet }: Observation): Architecture['ports'] {
  const taken = hosts.flatMap((host) =>
    host.servers.flatMap((server) =>
      server.endpoints
        .filter((endpoint) => endpoint.here)
        .map(({ port }) => ({ host: host.host, port, who: serviceOf(server, host, fleet).name })),
    ),
  );
  const reserved = Object.entries(fleet?.reserved ?? {}).flatMap(([host, ports]) =>
    ports.map((port) => ({ host, port, who: 'reserved' })),
  );
  const doors = (fleet?.gateway.routes.length ? fleet.gateway.listen : []).map((listen) => ({
    host: 'local',
    port: Number(listen.slice(listen.lastIndexOf(':') + 1)),
    who: 'the gateway',
  }));
  const all = [...taken, ...reserved, ...doors].map(
    (one) => [`${one.host} ${one.port} ${one.who}`, one] as const,
  );
  return [...new Map(all).values()].toSorted((a, b) => a.host.localeCompare(b.host) || a.port - b.port);
}
