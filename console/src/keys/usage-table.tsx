import { useState } from 'react';
import type { ReactNode } from 'react';
import type { KeyUsage } from '../../../src/domain/key-usage.ts';
import { moment } from '../format.ts';
import { Fault } from '../parts/fault.tsx';

/** What each key has asked of each model since the gateway was started. */
export function UsageTable({ usage, error }: { usage: KeyUsage | null; error: unknown }): ReactNode {
  const [shown, setShown] = useState<KeyUsage | null>(usage);
  if (usage && usage !== shown) setShown(usage);
  if (error !== null) return <Fault title="What was used is not known" error={error} />;
  if (!shown) return null;
  return (
    <section className="card" aria-labelledby="usage">
      <div className="card-head">
        <h2 id="usage">Usage</h2>
        <span className="muted">since {moment(shown.since)}</span>
      </div>
      {shown.uses.length === 0 ? (
        <p className="muted">Nobody has asked anything yet.</p>
      ) : (
        <Uses uses={shown.uses} />
      )}
    </section>
  );
}

function Uses({ uses }: { uses: KeyUsage['uses'] }): ReactNode {
  return (
    <div className="scroll">
      <table className="stacking">
        <thead>
          <tr>
            <th scope="col">Key</th>
            <th scope="col">Model</th>
            {['Requests', 'Errors', 'Prompt tokens', 'Output tokens'].map((title) => (
              <th key={title} scope="col" className="number">
                {title}
              </th>
            ))}
            <th scope="col">Last used</th>
          </tr>
        </thead>
        <tbody>
          {uses.map((use) => (
            <tr key={`${use.key} ${use.model}`}>
              <th scope="row" data-label="Key">
                {use.name}
              </th>
              <td data-label="Model">{use.model}</td>
              <Count label="Requests" value={use.requests} />
              <Count label="Errors" value={use.errors} />
              <Count label="Prompt tokens" value={use.inputTokens} />
              <Count label="Output tokens" value={use.outputTokens} />
              <td data-label="Last used">{moment(use.lastAt)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Count({ label, value }: { label: string; value: number }): ReactNode {
  return (
    <td className="number" data-label={label}>
      {value.toLocaleString('en-GB')}
    </td>
  );
}
