import type { Finding } from '../domain/finding.ts';
import type { ScannedServer } from '../domain/scan-report.ts';
import type { FindingContext } from './findings/context.ts';
import { exposedTools, openToAll, secretInArgv } from './findings/exposure.ts';
import { duplicates, portHeld } from './findings/placement.ts';
import { silent, threads, throttled } from './findings/running.ts';

type Rule = (servers: readonly ScannedServer[], context: FindingContext) => Finding[];

const rules: readonly Rule[] = [
  exposedTools,
  secretInArgv,
  openToAll,
  duplicates,
  portHeld,
  throttled,
  threads,
  silent,
];

/** What is wrong with the servers that run here; pure. Critical first. */
export function findingsOf(servers: readonly ScannedServer[], context: FindingContext): Finding[] {
  const order = ['critical', 'warning', 'info'];
  return rules
    .flatMap((rule) => rule(servers, context))
    .toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}
