import type { ReactNode } from 'react';
import type { DeploymentStatus, ReplicaStatus } from '../../../src/domain/fleet-status.ts';
import type { GatewayLoad } from '../../../src/domain/gateway-load.ts';
import { bytes, count, duration, modelName, unknown } from '../format.ts';
import { State } from '../parts/state.tsx';
import type { Tone } from '../parts/state.tsx';
import { hrefOf } from '../route.ts';

const tones: Record<ReplicaStatus['state'], Tone> = {
  ready: 'good',
  starting: 'warn',
  failing: 'bad',
  ending: 'warn',
  stopped: 'neutral',
  unloaded: 'neutral',
  fetching: 'warn',
  unreachable: 'bad',
};

interface Props {
  readonly deployment: DeploymentStatus;
  readonly load: GatewayLoad | null;
  /** Now by the server's clock, in ms: ages count by it, not by this machine's. */
  readonly now: number;
}

export function DeploymentCard({ deployment, load, now }: Props): ReactNode {
  const waiting = load?.waiting[deployment.name] ?? 0;
  const title = `deployment-${deployment.name}`;
  return (
    <article className="card" aria-labelledby={title}>
      <div className="card-head">
        <h3 id={title}>{deployment.name}</h3>
        {waiting > 0 && <span className="tag">{count(waiting, 'request')} waiting</span>}
        {deployment.target !== null && (
          <a className="button small" href={hrefOf({ page: 'logs', deployment: deployment.name })}>
            Logs
          </a>
        )}
      </div>
      <dl className="facts">
        <Fact name="Engine">{deployment.engine}</Fact>
        <Fact name="Model">
          <span title={deployment.model ?? undefined}>
            {deployment.model === null ? unknown : modelName(deployment.model)}
          </span>
        </Fact>
        <Fact name="Host">{deployment.host}</Fact>
        <Fact name="Target">{deployment.target ?? 'runs elsewhere'}</Fact>
      </dl>
      <table className="replicas stacking">
        <caption className="hidden">Replicas of {deployment.name}</caption>
        <thead>
          <tr>
            <th scope="col">Replica</th>
            <th scope="col">State</th>
            <th scope="col">Address</th>
            <th scope="col" className="number">
              Process
            </th>
            <th scope="col" className="number">
              Memory
            </th>
            <th scope="col" className="number">
              Slots
            </th>
            <th scope="col" className="number">
              Uptime
            </th>
          </tr>
        </thead>
        <tbody>
          {deployment.replicas.map((replica) => (
            <ReplicaRow
              key={replica.replica}
              replica={replica}
              busy={load?.inflight[upstreamOf(deployment, replica)] ?? null}
              now={now}
            />
          ))}
        </tbody>
      </table>
    </article>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** The gateway's name of a replica. */
function upstreamOf(deployment: DeploymentStatus, replica: ReplicaStatus): string {
  return deployment.replicas.length === 1 ? deployment.name : `${deployment.name}-${replica.replica}`;
}

/** "2 of 4 busy", "2 busy" where the engine does not say how many it has, "4" where the gateway does not say. */
export function slotsText(slots: number | null, busy: number | null): string {
  if (busy === null) return slots === null ? unknown : String(slots);
  return slots === null ? `${busy} busy` : `${busy} of ${slots} busy`;
}

interface RowProps {
  readonly replica: ReplicaStatus;
  readonly busy: number | null;
  readonly now: number;
}

function ReplicaRow({ replica, busy, now }: RowProps): ReactNode {
  const uptime = replica.since === null ? unknown : duration(now - Date.parse(replica.since));
  return (
    <tr>
      <th scope="row" data-label="Replica">
        {replica.replica}
      </th>
      <td data-label="State">
        <State tone={tones[replica.state]}>{replica.state}</State>
        {replica.outdated && (
          <span
            className="tag"
            title="The file asks for something else than what runs: the next apply replaces it."
          >
            outdated
          </span>
        )}
      </td>
      <td data-label="Address" className="mono">
        {replica.url ?? unknown}
      </td>
      <td data-label="Process" className="number">
        {replica.pid ?? unknown}
      </td>
      <td data-label="Memory" className="number">
        {bytes(replica.rssBytes)}
      </td>
      <td data-label="Slots" className="number">
        {slotsText(replica.slots, busy)}
      </td>
      <td data-label="Uptime" className="number">
        {uptime}
      </td>
    </tr>
  );
}
