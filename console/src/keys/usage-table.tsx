import { useState } from 'react';
import type { ReactNode } from 'react';
import type { KeyView } from '../../../src/domain/key-record.ts';
import type { KeyReport, KeyUsage } from '../../../src/domain/key-usage.ts';
import { moment, unknown } from '../format.ts';
import { Fault } from '../parts/fault.tsx';

/** What each key has used of its budget, and asked of each model since the gateway was started. */
export function UsageTable(props: {
  report: KeyReport | null;
  keys: readonly KeyView[];
  error: unknown;
}): ReactNode {
  const { report, keys, error } = props;
  const [shown, setShown] = useState<KeyReport | null>(report);
  if (report && report !== shown) setShown(report);
  if (error !== null) return <Fault title="What was used is not known" error={error} />;
  if (!shown) return null;
  return (
    <>
      {shown.spent.length > 0 && <Budgets spent={shown.spent} keys={keys} />}
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
    </>
  );
}

/** Days and months are those of UTC, as for the budgets. */
function Budgets({ spent, keys }: { spent: KeyReport['spent']; keys: readonly KeyView[] }): ReactNode {
  return (
    <section className="card" aria-labelledby="budgets">
      <div className="card-head">
        <h2 id="budgets">Budgets</h2>
        <span className="muted">days and months in UTC</span>
      </div>
      <div className="scroll">
        <table className="stacking">
          <thead>
            <tr>
              <th scope="col">Key</th>
              {spans.map(({ title }) => (
                <th key={title} scope="col" className="number">
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {spent.map((one) => {
              const view = keys.find(({ id }) => id === one.key);
              return (
                <tr key={one.key}>
                  <th scope="row" data-label="Key">
                    {view?.name ?? one.key}
                  </th>
                  {spans.map(({ title, span, unit }) => (
                    <td key={title} className="number" data-label={title}>
                      {spentText(one[span][unit], view?.bounds.budget?.[span]?.[unit])}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const spans = [
  { title: 'Tokens today', span: 'day', unit: 'tokens' },
  { title: 'USD today', span: 'day', unit: 'usd' },
  { title: 'Tokens this month', span: 'month', unit: 'tokens' },
  { title: 'USD this month', span: 'month', unit: 'usd' },
] as const;

/** "120 of 1,000", or the figure alone where nothing bounds it. */
function spentText(spent: number, bound: number | undefined): string {
  const [used, of] = [spent, bound].map((value) =>
    value?.toLocaleString('en-GB', { maximumFractionDigits: 4 }),
  );
  return of === undefined ? (used ?? unknown) : `${used} of ${of}`;
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
