import type { ScannedServer } from '../../domain/scan-report.ts';
import { nameOf, subjectOf } from '../../domain/audit/server-words.ts';
import type { AuditView, Found, Rule } from './contract.ts';

export const versionBehind: Rule = {
  id: 'version-behind',
  severity: 'info',
  finds: 'an engine that is older than another of its kind beside it',
  why: 'Two versions answer the same request otherwise, and faults are looked for in the wrong one.',
  find,
};

function find({ hosts }: AuditView): Found[] {
  const all = hosts.flatMap((host) => host.servers.map((server) => ({ host, server })));
  const known = all.flatMap((one) => {
    const number = numberOf(one.server.version);
    return number === null ? [] : [{ ...one, number }];
  });
  return [...Map.groupBy(known, (one) => one.server.engine).values()].flatMap((same) => {
    const newest = same.toSorted((a, b) => compare(b.number, a.number))[0];
    return same
      .filter((one) => newest && compare(one.number, newest.number) < 0)
      .map(({ server, host }) => ({
        ...subjectOf(server, host),
        message: `It is ${server.version}; ${newest ? nameOf(newest.server) : ''} is ${newest?.server.version}.`,
        evidence: same.map((one) => `${nameOf(one.server)}: ${one.server.version}`),
        cure: 'Start it with the newer build, once that has been tried.',
      }));
  });
}

/** "b6000-abc" counts by its build, "0.11.2" by its parts; others are not compared, such as "b1" of who builds without the history. */
function numberOf(version: ScannedServer['version']): number[] | null {
  const build = /^b(\d+)\b/.exec(version ?? '')?.[1];
  if (build !== undefined) return Number(build) < 1000 ? null : [Number(build)];
  const parts = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version ?? '');
  return parts ? parts.slice(1).map((part) => Number(part ?? 0)) : null;
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((part, i) => part !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
