import { useState } from 'react';
import type { ReactNode } from 'react';
import type { KeyAnswer, KeyView, NewKey } from '../../../src/domain/key-record.ts';
import type { KeyReport } from '../../../src/domain/key-usage.ts';
import { askJson } from '../api.ts';
import { CopyLine } from '../parts/copy-line.tsx';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import type { LiveFleet } from '../use-live-fleet.ts';
import { useLoaded } from '../use-loaded.ts';
import { KeyForm } from './key-form.tsx';
import { KeyTable } from './key-table.tsx';
import { UsageTable } from './usage-table.tsx';
import { useTick } from './use-tick.ts';

const usagePeriodMs = 5_000;

/** Who may use the gateway, and who does. */
export function KeysPage({ live }: { live: LiveFleet }): ReactNode {
  const [turn, setTurn] = useState(0);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<KeyAnswer<NewKey> | null>(null);
  const [error, setError] = useState<unknown>(null);
  const { value, error: listError } = useLoaded<{ keys: KeyView[] }>('/keys', turn);
  const usage = useLoaded<KeyReport>('/keys/usage', useTick(usagePeriodMs));
  const [shown, setShown] = useState<readonly KeyView[]>([]);
  // The last list stays while the next is on its way.
  if (value && value.keys !== shown) setShown(value.keys);

  async function change(path: string, method: 'POST' | 'DELETE', body?: unknown): Promise<void> {
    setError(null);
    setMade(null);
    try {
      const answer = await askJson<KeyAnswer<NewKey>>(path, { method, body });
      if (answer.key) setMade(answer);
      if (answer.notInForce) setError(new Error(answer.notInForce));
      setMaking(false);
    } catch (fault) {
      setError(fault);
    }
    setTurn((before) => before + 1);
  }
  return (
    <>
      <PageHead title="Keys" lead="Who may use the gateway, and who does.">
        <button className="button primary" type="button" disabled={making} onClick={() => setMaking(true)}>
          New key
        </button>
      </PageHead>
      {listError !== null && <Fault title="The keys cannot be listed" error={listError} />}
      {error !== null && <Fault title="The change did not go through" error={error} />}
      {made && <MadeKey made={made} onDone={() => setMade(null)} />}
      {making && (
        <KeyForm
          models={live.status?.routes.filter((route) => route.aliasOf === null).map(({ name }) => name) ?? []}
          onMake={(wish) => change('/keys', 'POST', wish)}
          onCancel={() => setMaking(false)}
        />
      )}
      {value && value.keys.length === 0 && !making && <NoKeys needed={live.load?.keyNeeded ?? false} />}
      {shown.length > 0 && (
        <KeyTable
          keys={shown}
          onRotate={(key, graceMs) =>
            change(`/keys/${encodeURIComponent(key.id)}/rotate`, 'POST', { graceMs })
          }
          onRevoke={(key) => change(`/keys/${encodeURIComponent(key.id)}`, 'DELETE')}
        />
      )}
      <UsageTable report={usage.value} keys={shown} error={usage.error} />
    </>
  );
}

function NoKeys({ needed }: { needed: boolean }): ReactNode {
  return (
    <div className="card empty">
      <h2>No keys yet</h2>
      <p>
        {needed
          ? 'The gateway wants a key, and there is none: nobody gets in.'
          : 'Whoever reaches the gateway may use it. With the first key that is made, every request needs one.'}
      </p>
    </div>
  );
}

/** The one time that a key is shown. It is kept nowhere: neither here nor on the server. */
function MadeKey({ made, onDone }: { made: NewKey; onDone: () => void }): ReactNode {
  return (
    <div className="notice tone-good made-key" role="status">
      <strong>The key of {made.name}</strong>
      <p>Copy it now: it is shown this once, and only its hash is kept.</p>
      <CopyLine label={`The key of ${made.name}`} text={made.key} />
      {made.previousUntil !== null && (
        <p className="cure">
          The old one is good until {new Date(made.previousUntil).toLocaleString('en-GB')}.
        </p>
      )}
      <button className="button small" type="button" onClick={onDone}>
        Done
      </button>
    </div>
  );
}
