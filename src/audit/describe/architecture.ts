import { z } from 'zod';
import { deploymentOf } from '../../domain/audit/deployment-of.ts';
import type { Known } from '../../domain/audit/deployment-of.ts';
import type { ObservedFleet, ObservedHost, Observation } from '../../domain/audit/observation.ts';
import type { Finding } from '../../domain/finding.ts';
import type { LlmServiceStatus } from '../../domain/fleet-status.ts';
import { LlmService, llmServiceStatus } from '../../kube/llm-service-status.ts';
import { findingsIn } from '../audit.ts';
import { viewOf } from '../view.ts';
import { nameOf, servicesOf } from './services.ts';
import type { Service } from './services.ts';

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
  /** Services of KServe's newer kind, which serve models and are of no fleet. */
  readonly llmServices: readonly (LlmServiceStatus & {
    readonly cluster: string;
    readonly namespace: string;
  })[];
  readonly findings: readonly Finding[];
}

/** Pure: it says what the observation says, and nothing that somebody meant. */
export function architectureOf(observation: Observation): Architecture {
  const { at, hosts, fleet } = observation;
  const { objects, workloads } = viewOf(observation);
  const known = { hosts, fleet, objects, workloads };
  return {
    at,
    fleet: fleet && { name: fleet.name, file: fleet.file },
    hosts: hosts.map(({ host, hardware }) => ({ host, hardware })),
    services: servicesOf(known),
    absent: absentOf(known),
    ports: portsOf(known),
    gateway: fleet && fleet.gateway.routes.length > 0 ? fleet.gateway : null,
    llmServices: llmServicesOf(observation),
    findings: findingsIn(observation),
  };
}

function llmServicesOf({ clusters }: Pick<Observation, 'clusters'>): Architecture['llmServices'] {
  const found = clusters.flatMap(({ name: cluster, objects }) =>
    objects.flatMap((object) => {
      const { data } = Seen.safeParse(object);
      return data ? [{ cluster, namespace: data.metadata.namespace ?? '', ...llmServiceStatus(data) }] : [];
    }),
  );
  return found.toSorted((a, b) => placeOf(a).localeCompare(placeOf(b)));
}

const Seen = LlmService.extend({
  kind: z.literal('LLMInferenceService'),
  metadata: LlmService.shape.metadata.extend({ namespace: z.string().optional() }),
});

function placeOf({ cluster, namespace, name }: Architecture['llmServices'][number]): string {
  return `${cluster} ${namespace} ${name}`;
}

function absentOf(known: Known): Architecture['absent'] {
  const { fleet, hosts } = known;
  const seen = new Set(
    hosts.flatMap(({ host, servers }) => servers.map((server) => deploymentOf(server, host, known))),
  );
  return (fleet?.deployments ?? [])
    .filter(
      (one) =>
        !seen.has(one.name) &&
        !fleet?.instances.some((instance) => instance.deployment === one.name && instance.alive),
    )
    .map(({ name, onDemand, external }) => ({
      name,
      why: external ? 'is a server elsewhere' : onDemand ? 'is started by its first request' : 'does not run',
    }));
}

/** Ports of model servers and those that the file keeps, of each machine. */
function portsOf(known: Known): Architecture['ports'] {
  const { hosts, fleet } = known;
  const taken = hosts.flatMap(({ host, servers }) =>
    servers.flatMap((server) =>
      server.endpoints
        .filter((endpoint) => endpoint.here)
        .map(({ port }) => ({ host, port, who: nameOf(server, host, known) })),
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
