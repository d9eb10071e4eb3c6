import { useState } from 'react';
import type { ReactNode } from 'react';
import type { CapturedMessage, CapturedRequest, CaptureList } from '../../../src/domain/captured-request.ts';
import { bytes, moment } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { useLoaded } from '../use-loaded.ts';
import { usePolled } from '../use-polled.ts';

/** The sample of requests that the gateway keeps, where the fleet file asks for one. */
export function Captures(): ReactNode {
  const { value } = usePolled<CaptureList>('/captures');
  const [chosen, setChosen] = useState<string | null>(null);
  if (!value || value.maxBytes === 0) return null;
  return (
    <section className="card" aria-labelledby="captures">
      <h2 id="captures">Captured</h2>
      <p className="lead">
        {bytes(value.bytes)} of {bytes(value.maxBytes)}, newest first. Prompts are in it; values of headers
        that may hold a secret are not.
      </p>
      {value.captures.length > 0 && (
        <table className="stacking">
          <caption className="hidden">Captured requests, newest first</caption>
          <thead>
            <tr>
              <th scope="col">Request</th>
              <th scope="col">Came</th>
              <th scope="col">Key</th>
              <th scope="col">Model</th>
              <th scope="col" className="number">
                Status
              </th>
            </tr>
          </thead>
          <tbody>
            {value.captures.slice(0, 100).map((one) => (
              <tr key={`${one.id} ${one.at}`}>
                <th scope="row" data-label="Request">
                  <button
                    className="button small"
                    type="button"
                    aria-pressed={chosen === one.id}
                    onClick={() => setChosen(chosen === one.id ? null : one.id)}
                  >
                    {one.id}
                  </button>
                </th>
                <td data-label="Came">{moment(one.at)}</td>
                <td data-label="Key">{one.key}</td>
                <td data-label="Model">{one.model}</td>
                <td data-label="Status" className="number">
                  {one.code ?? one.status}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {chosen !== null && <Capture id={chosen} />}
    </section>
  );
}

function Capture({ id }: { id: string }): ReactNode {
  const { value, error } = useLoaded<CapturedRequest>(`/captures/${encodeURIComponent(id)}`);
  if (error !== null) return <Fault title="It is not kept any more" error={error} />;
  if (!value) return null;
  return (
    <>
      <Message title={`Request ${id}`} message={value.request} />
      {value.reply && <Message title={`Reply ${value.reply.status}`} message={value.reply} />}
    </>
  );
}

function Message({ title, message }: { title: string; message: CapturedMessage }): ReactNode {
  const shown = new TextEncoder().encode(message.body).length;
  return (
    <div className="captured">
      <h3>{title}</h3>
      <pre tabIndex={0}>
        {message.headers.map(([name, value]) => `${name}: ${value}\n`).join('')}
        {`\n${message.body}`}
      </pre>
      {shown < message.bodyBytes && (
        <p className="lead">
          {bytes(shown)} of {bytes(message.bodyBytes)}
        </p>
      )}
    </div>
  );
}
