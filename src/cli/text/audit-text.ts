import type { AuditReport } from '../../domain/audit/report.ts';
import type { Finding, FindingCost } from '../../domain/finding.ts';
import { formatBytes, plural } from '../../domain/format.ts';

/** The audit for people: each finding with the facts it rests on, what it costs, and what to do. */
export function auditText(report: AuditReport, { explain }: { explain: boolean }): string {
  const parts = [
    ...report.findings.map(findingText),
    ...report.expired.map(
      ({ rule, object, reason, until }) =>
        `The suppression of ${rule}${object === undefined ? '' : ` for ${object}`} ended on ${until} (${reason}).`,
    ),
    ...report.unused.map(
      ({ rule, object }) =>
        `The suppression of ${rule}${object === undefined ? '' : ` for ${object}`} leaves nothing out: remove it.`,
    ),
    ...(explain ? report.explained : []),
  ];
  if (report.servers === 0 && parts.length === 0 && report.suppressed.length === 0) return 'no model servers';
  return [...parts, summary(report)].join('\n\n');
}

function findingText(finding: Finding): string {
  const cost = costText(finding.cost ?? {});
  return [
    `${finding.severity}: ${finding.object}: ${finding.message} [${finding.rule}]`,
    ...finding.evidence.map((line) => `    ${line}`),
    ...(cost === '' ? [] : [`    Cost: ${cost}`]),
    `    Cure: ${finding.cure}`,
    ...(finding.host && finding.commands?.some((line) => !line.startsWith('berth '))
      ? [`        # on ${finding.host}:`]
      : []),
    ...(finding.commands ?? []).map((line) => `        ${line}`),
  ].join('\n');
}

function costText({ memoryBytes, gpuBytes, diskBytes, usdPerMonth }: FindingCost): string {
  const parts = [
    ...(memoryBytes === undefined ? [] : [`${formatBytes(memoryBytes)} of memory`]),
    ...(gpuBytes === undefined ? [] : [`${formatBytes(gpuBytes)} of GPU memory`]),
    ...(diskBytes === undefined ? [] : [`${formatBytes(diskBytes)} of disk`]),
    ...(usdPerMonth === undefined ? [] : [`${usdPerMonth.toFixed(2)} USD a month`]),
  ];
  return parts.join(', ');
}

function summary({ servers, findings, suppressed }: AuditReport): string {
  const left = suppressed.length === 0 ? '' : `, ${suppressed.length} more left out by the fleet file`;
  return `${plural(servers, 'model server')}, ${plural(findings.length, 'finding')}${left}.`;
}
