import { useState } from 'react';
import type { ReactNode } from 'react';
import type { LiveRequest, LiveRequests } from '../../../src/domain/live-request.ts';
import { ApiError, ask } from '../api.ts';
import { count, milliseconds, unknown } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { State } from '../parts/state.tsx';
import type { Tone } from '../parts/state.tsx';
import { usePolled } from '../use-polled.ts';
import { Captures } from './captures.tsx';

/** What the gateway is doing now, and what it kept of what it did. */
export function RequestsPage(): ReactNode {
  const { value, error, look } = usePolled<LiveRequests>('/requests');
  const [refused, setRefused] = useState<unknown>(null);
  async function end(id: string): Promise<void> {
    setRefused(null);
    try {
      await ask(`/requests/${encodeURIComponent(id)}`, { method: 'DELETE' });
    } catch (fault) {
      // It ended by itself in the meantime: that is what was wanted.
      if (!(fault instanceof ApiError && fault.code === 'REQUEST_UNKNOWN')) setRefused(fault);
    }
    look();
  }
  return (
    <>
      <PageHead title="Requests" lead="Under way in the gateway now, oldest first." />
      {error !== null && <Fault title="The requests cannot be listed" error={error} />}
      {refused !== null && <Fault title="The request was not ended" error={refused} />}
      {value && value.requests.length > 0 && <RequestTable live={value} onEnd={(id) => void end(id)} />}
      {value?.requests.length === 0 && (
        <div className="card empty">
          <h2>Nothing is under way</h2>
          <p>Requests stand here from their first byte to their last.</p>
        </div>
      )}
      <Captures />
    </>
  );
}

const tones: Record<LiveRequest['phase'], Tone> = {
  reading: 'neutral',
  queued: 'warn',
  waiting: 'neutral',
  replying: 'good',
};

function RequestTable({ live, onEnd }: { live: LiveRequests; onEnd: (id: string) => void }): ReactNode {
  return (
    <div className="card">
      <table className="stacking">
        <caption className="hidden">Requests under way, oldest first</caption>
        <thead>
          <tr>
            <th scope="col">Request</th>
            <th scope="col">Key</th>
            <th scope="col">Model</th>
            <th scope="col">Instance</th>
            <th scope="col">Phase</th>
            <th scope="col" className="number">
              Age
            </th>
            <th scope="col" className="number">
              Pieces so far
            </th>
            <th scope="col">
              <span className="hidden">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {live.requests.map((one) => (
            <RequestRow key={one.id} one={one} onEnd={onEnd} />
          ))}
        </tbody>
      </table>
      {live.total > live.requests.length && (
        <p className="lead">And {count(live.total - live.requests.length, 'more request')}.</p>
      )}
    </div>
  );
}

function RequestRow({ one, onEnd }: { one: LiveRequest; onEnd: (id: string) => void }): ReactNode {
  return (
    <tr>
      <th scope="row" data-label="Request">
        <code>{one.id}</code>
      </th>
      <td data-label="Key">{one.key}</td>
      <td data-label="Model">{one.model || unknown}</td>
      <td data-label="Instance">{one.instance ?? unknown}</td>
      <td data-label="Phase">
        <State tone={tones[one.phase]}>{one.phase}</State>
      </td>
      <td data-label="Age" className="number">
        {milliseconds(one.ageMs)}
      </td>
      <td data-label="Pieces so far" className="number">
        {one.pieces}
      </td>
      <td>
        <button className="button small" type="button" onClick={() => onEnd(one.id)}>
          End<span className="hidden"> request {one.id}</span>
        </button>
      </td>
    </tr>
  );
}
