import type { AuditReport } from '../domain/audit/report.ts';
import type { Finding } from '../domain/finding.ts';
import { rules } from './rules/registry.ts';

const levels = { info: 'note', warning: 'warning', critical: 'error' } as const;

/** The report in the form that code hosts and security tools read (SARIF 2.1.0). Pure. */
export function sarifOf(report: AuditReport, version: string): Record<string, unknown> {
  const results = [
    ...report.findings.map((finding) => resultOf(finding, [])),
    ...report.suppressed.map(({ finding, by }) =>
      resultOf(finding, [{ kind: 'external', justification: by.reason }]),
    ),
  ];
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'berth',
            version,
            rules: rules.map(({ id, finds, why, severity }) => ({
              id,
              shortDescription: { text: `Finds ${finds}.` },
              fullDescription: { text: why },
              defaultConfiguration: { level: levels[severity] },
            })),
          },
        },
        results,
      },
    ],
  };
}

function resultOf(
  finding: Finding,
  suppressions: readonly Record<string, string>[],
): Record<string, unknown> {
  return {
    ruleId: finding.rule,
    ruleIndex: rules.findIndex((rule) => rule.id === finding.rule),
    level: levels[finding.severity],
    message: { text: `${finding.object}: ${finding.message} ${finding.cure}` },
    locations: [{ logicalLocations: [{ fullyQualifiedName: finding.object, kind: 'resource' }] }],
    // The same fault of the same object is one finding from run to run, whatever its process is called by then.
    partialFingerprints: { berth: `${finding.rule}/${finding.object.replaceAll(/\(process \d+\)/g, '')}` },
    suppressions,
    properties: { evidence: finding.evidence, cost: finding.cost ?? {}, commands: finding.commands ?? [] },
  };
}
