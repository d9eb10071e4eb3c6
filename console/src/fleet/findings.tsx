import type { ReactNode } from 'react';
import type { Finding } from '../../../src/domain/finding.ts';
import type { Tone } from '../parts/state.tsx';

const tones: Record<Finding['severity'], Tone> = { info: 'neutral', warning: 'warn', critical: 'bad' };
const order: readonly Finding['severity'][] = ['critical', 'warning', 'info'];

/** What is worth a person's attention, worst first. */
export function Findings({ findings }: { findings: readonly Finding[] }): ReactNode {
  if (findings.length === 0) return null;
  const sorted = findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">Findings</h2>
      <ul className="findings">
        {sorted.map((finding) => (
          <li
            key={`${finding.rule} ${finding.object} ${finding.message}`}
            className={`notice tone-${tones[finding.severity]}`}
          >
            <strong>
              {finding.object}: {finding.message}
            </strong>
            {finding.evidence.length > 0 && (
              <ul className="evidence">
                {finding.evidence.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            )}
            <p className="cure">{finding.cure}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
