import type { ObservedHost, Observation } from '../domain/audit/observation.ts';
import type { AuditReport } from '../domain/audit/report.ts';
import { isPodOf } from '../domain/audit/model-pods.ts';
import type { Suppression } from '../domain/audit/suppression.ts';
import type { Finding } from '../domain/finding.ts';
import { severities } from '../domain/finding.ts';
import type { Found } from './rules/contract.ts';
import { rules } from './rules/registry.ts';
import { priced } from './price.ts';
import { harmlessPairs } from './explain.ts';
import { suppress } from './suppress.ts';
import { viewOf } from './view.ts';
import type { Viewed } from './view.ts';

/** Everything that is wrong in an observation, worst first. Pure: the same observation gives the same findings. */
export function findingsIn(observation: Viewed): Finding[] {
  const view = viewOf(observation);
  return rules
    .flatMap((rule) =>
      rule.find(view).map(({ severity, ...found }): Finding => ({
        rule: rule.id,
        severity: severity ?? rule.severity,
        ...placed({ ...found, ...priced(found, observation) }),
      })),
    )
    .toSorted((a, b) => severities.indexOf(b.severity) - severities.indexOf(a.severity));
}

/** One name may stand for a unit or container on each of several machines. */
function placed({ host, ...found }: Omit<Found, 'severity'>): Omit<Finding, 'rule' | 'severity'> {
  if (host === undefined || host === 'local') return found;
  const named = found.object === host || found.object.endsWith(` on ${host}`);
  return {
    ...found,
    host,
    object: named ? found.object : `${found.object} on ${host}`,
    names: [...(found.names ?? []), found.object],
  };
}

/** The whole report; pure. */
export function auditReport(observation: Observation, suppressions: readonly Suppression[]): AuditReport {
  return {
    version: 1,
    at: observation.at,
    servers: countServers(observation),
    ...suppress(findingsIn(observation), suppressions, observation.at),
    explained: observation.hosts.flatMap(harmlessPairs),
  };
}

/** A server counts once, in whichever ways it was seen: as a process, by its unit or container, by the object that made its pod. */
function countServers(observation: Observation): number {
  const { pods, objects, hosts } = viewOf(observation);
  const seen = new Set(
    hosts.flatMap(({ servers }) =>
      servers.flatMap(({ owner }) => (owner.kind === 'pod' ? [owner.name] : [])),
    ),
  );
  const running = objects.filter((one) => one.kind === 'Pod' && seen.has(one.metadata.uid ?? ''));
  const unseen = pods.filter(
    ({ workload }) =>
      // A runtime runs nothing until a service names it.
      !workload.object.kind.endsWith('ServingRuntime') && !running.some((pod) => isPodOf(pod, workload)),
  );
  const here = hosts.map(
    ({ servers, units, containers }) =>
      servers.length +
      units.filter((unit) => unit.active !== 'active').length +
      containers.filter((one) => one.state !== 'running').length,
  );
  return here.reduce((sum, one) => sum + one, 0) + unseen.length;
}

/** What of one machine alone, without a fleet file, wants attention. */
export function findingsOnHost(host: ObservedHost, at: string): Finding[] {
  const found = findingsIn({ at, hosts: [host], clusters: [], fleet: null });
  return found.filter((one) => one.severity !== 'info');
}
