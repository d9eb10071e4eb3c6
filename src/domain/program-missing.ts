import { BerthError } from './errors/berth-error.ts';
import type { Finding } from './finding.ts';

/** A deployment that cannot be started since its program is not there. */
export function programMissing(
  deployment: string,
  program: string,
  severity: Finding['severity'] = 'critical',
): Finding {
  const { message, code, cure } = new BerthError('PROGRAM_MISSING', { program, needed: deployment });
  return { rule: 'program-missing', severity, object: deployment, message, evidence: [code], cure };
}
