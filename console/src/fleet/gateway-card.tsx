import type { ReactNode } from 'react';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import type { GatewayLoad, InstanceBounds } from '../../../src/domain/gateway-load.ts';
import { count } from '../format.ts';
import { CopyLine } from '../parts/copy-line.tsx';
import { State } from '../parts/state.tsx';

/** Where programs send their requests, with a line that works when pasted. */
export function GatewayCard(props: {
  status: FleetStatus;
  keyNeeded: boolean;
  limits: GatewayLoad['limits'];
}): ReactNode {
  const { status, keyNeeded, limits } = props;
  const bounded = Object.entries(limits).filter(([, bounds]) => boundsText(bounds) !== '');
  const { gateway, routes } = status;
  const model = routes[0]?.name;
  return (
    <section className="card" aria-labelledby="gateway">
      <div className="card-head">
        <h2 id="gateway">Gateway</h2>
        <State tone={gateway.state === 'serving' ? 'good' : 'bad'}>{gateway.state}</State>
      </div>
      {gateway.url === null ? (
        <p>
          No gateway runs for this fleet. <code>berth up</code> starts it.
        </p>
      ) : (
        <>
          <p>
            OpenAI-compatible, at <code>{gateway.url}/v1</code>
            {gateway.pid !== null && <span className="muted"> · process {gateway.pid}</span>}
          </p>
          {bounded.length > 0 && (
            <dl className="facts wide">
              {bounded.map(([upstream, bounds]) => (
                <div key={upstream}>
                  <dt>Takes at {upstream}</dt>
                  <dd>{boundsText(bounds)}</dd>
                </div>
              ))}
            </dl>
          )}
          {model && <CopyLine label="A request to try" text={curlLine(gateway.url, model, keyNeeded)} />}
        </>
      )}
    </section>
  );
}

/** What bounds one instance now, in words; empty when nothing does. */
export function boundsText({ slots, kv_tokens, rps }: InstanceBounds): string {
  return [
    slots === undefined ? [] : `${count(slots, 'request')} at once`,
    kv_tokens === undefined ? [] : `${count(Math.floor(kv_tokens), 'token')} in its cache`,
    rps === undefined ? [] : `${rps} a second`,
  ]
    .flat()
    .join(', ');
}

/** One line for a POSIX shell. A name with a quote in it is escaped for both the shell and JSON; a key is named, never written. */
export function curlLine(url: string, model: string, keyNeeded: boolean): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'Hello' }] });
  const key = keyNeeded ? ' -H "Authorization: Bearer $BERTH_KEY"' : '';
  return `curl ${url}/v1/chat/completions${key} -H 'Content-Type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`;
}
