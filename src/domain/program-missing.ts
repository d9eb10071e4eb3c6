import { BerthError } from './errors/berth-error.ts';
import type { Finding } from './finding.ts';

/** A deployment that cannot be started since its program is not there. */
export function programMissing(
  deployment: string,
  { program, machine }: { program: string; machine: string },
  severity: Finding['severity'] = 'critical',
): Finding {
  const { message, code, cure } = new BerthError('PROGRAM_MISSING', { program, machine, needed: deployment });
  return { rule: 'program-missing', severity, object: deployment, message, evidence: [code], cure };
}
