import { useState } from 'react';
import type { ReactNode } from 'react';
import type { KeyView } from '../../../src/domain/key-record.ts';
import { moment, unknown } from '../format.ts';
import { State } from '../parts/state.tsx';

interface Props {
  readonly keys: readonly KeyView[];
  readonly onRotate: (key: KeyView, graceMs: number) => Promise<void>;
  readonly onRevoke: (key: KeyView) => Promise<void>;
}

/** Every key; what is made here can be rotated and revoked here. */
export function KeyTable({ keys, onRotate, onRevoke }: Props): ReactNode {
  const [asking, setAsking] = useState<{ id: string; what: 'rotate' | 'revoke' } | null>(null);
  return (
    <section className="card" aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <div className="scroll">
        <table className="stacking keys">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col">May use</th>
              <th scope="col">Limits</th>
              <th scope="col">Expires</th>
              <th scope="col">
                <span className="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <KeyRow
                key={key.id}
                view={key}
                asking={asking?.id === key.id ? asking.what : null}
                onAsk={(what) => setAsking(what && { id: key.id, what })}
                onRotate={(graceMs) => (setAsking(null), void onRotate(key, graceMs))}
                onRevoke={() => (setAsking(null), void onRevoke(key))}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface RowProps {
  readonly view: KeyView;
  readonly asking: 'rotate' | 'revoke' | null;
  readonly onAsk: (what: 'rotate' | 'revoke' | null) => void;
  readonly onRotate: (graceMs: number) => void;
  readonly onRevoke: () => void;
}

function KeyRow({ view, asking, onAsk, onRotate, onRevoke }: RowProps): ReactNode {
  return (
    <tr>
      <th scope="row" data-label="Name">
        <span>
          {view.name}
          {view.control && <span className="tag">control</span>}
        </span>
      </th>
      <td data-label="State">
        <State tone={view.state === 'active' ? 'good' : 'bad'}>{view.state}</State>
      </td>
      <td data-label="May use">{[...(view.models ?? []), ...(view.endpoints ?? [])].join(', ') || 'all'}</td>
      <td data-label="Limits">{limitsText(view.bounds)}</td>
      <td data-label="Expires">{view.expiresAt === null ? 'never' : moment(view.expiresAt)}</td>
      <td className="actions">
        {view.source === 'file' ? (
          <span className="muted">in the fleet file</span>
        ) : asking === 'rotate' ? (
          <Rotation name={view.name} onRotate={onRotate} onCancel={() => onAsk(null)} />
        ) : asking === 'revoke' ? (
          <span className="choices">
            <button className="button small danger" type="button" onClick={onRevoke}>
              Revoke {view.name} now
            </button>
            <button className="button small" type="button" onClick={() => onAsk(null)}>
              Keep it
            </button>
          </span>
        ) : (
          <span className="choices">
            <button className="button small" type="button" onClick={() => onAsk('rotate')}>
              Rotate<span className="hidden"> {view.name}</span>
            </button>
            <button className="button small" type="button" onClick={() => onAsk('revoke')}>
              Revoke<span className="hidden"> {view.name}</span>
            </button>
          </span>
        )}
      </td>
    </tr>
  );
}

const graces = [
  { title: 'at once', ms: 0 },
  { title: 'in an hour', ms: 3_600_000 },
  { title: 'in a day', ms: 86_400_000 },
] as const;

function Rotation(props: {
  name: string;
  onRotate: (graceMs: number) => void;
  onCancel: () => void;
}): ReactNode {
  const [grace, setGrace] = useState(0);
  return (
    <span className="choices">
      <label>
        Old secret of {props.name} ends{' '}
        <select value={grace} onChange={(event) => setGrace(Number(event.target.value))}>
          {graces.map(({ title, ms }) => (
            <option key={ms} value={ms}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <button className="button small primary" type="button" onClick={() => props.onRotate(grace)}>
        Rotate now
      </button>
      <button className="button small" type="button" onClick={props.onCancel}>
        Cancel
      </button>
    </span>
  );
}

/** "20 requests/min, 2 at once, 1.5 USD a day". */
function limitsText({ rpm, tpm, concurrent, priority, budget }: KeyView['bounds']): string {
  const spans = Object.entries(budget ?? {}).flatMap(([span, allowance]) => [
    ...(allowance?.tokens === undefined ? [] : [`${allowance.tokens} tokens a ${span}`]),
    ...(allowance?.usd === undefined ? [] : [`${allowance.usd} USD a ${span}`]),
  ]);
  const parts = [
    ...(rpm === undefined ? [] : [`${rpm} requests/min`]),
    ...(tpm === undefined ? [] : [`${tpm} tokens/min`]),
    ...(concurrent === undefined ? [] : [`${concurrent} at once`]),
    ...(priority === undefined ? [] : [`${priority} priority`]),
    ...spans,
  ];
  return parts.join(', ') || unknown;
}
