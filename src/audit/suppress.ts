import type { AuditReport } from '../domain/audit/report.ts';
import type { Suppression } from '../domain/audit/suppression.ts';
import type { Finding } from '../domain/finding.ts';

/** Parts findings by what the fleet file leaves out. Pure; a suppression counts through the whole of its last day, in UTC. */
export function suppress(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  at: string,
): Pick<AuditReport, 'findings' | 'suppressed' | 'expired' | 'unused'> {
  const expired = suppressions.filter(({ until }) => until !== undefined && until < at.slice(0, 10));
  const valid = suppressions.filter((one) => !expired.includes(one));
  const suppressed: AuditReport['suppressed'] = [];
  const left: Finding[] = [];
  for (const finding of findings) {
    const by = valid.find((one) => covers(one, finding));
    if (by) suppressed.push({ finding, by });
    else left.push(finding);
  }
  const unused = valid.filter((one) => !suppressed.some(({ by }) => by === one));
  return { findings: left, suppressed, expired, unused };
}

function covers({ rule, object }: Suppression, finding: Finding): boolean {
  if (rule !== finding.rule) return false;
  return object === undefined || [finding.object, ...(finding.names ?? [])].includes(object);
}
