import type { ReactNode } from 'react';
import type { FleetStatus } from '../../../src/domain/fleet-status.ts';
import { count, moment } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import type { LiveFleet } from '../use-live-fleet.ts';
import { useNow } from '../use-now.ts';
import { DeploymentCard } from './deployment-card.tsx';
import { Findings } from './findings.tsx';
import { GatewayCard } from './gateway-card.tsx';
import { LlmServices } from './llm-services.tsx';
import { Routes } from './routes.tsx';

/** The fleet as the file wants it beside what runs. */
export function FleetPage({ live }: { live: LiveFleet }): ReactNode {
  const { status, error, connection } = live;
  return (
    <>
      <PageHead title="Fleet" lead={status ? summary(status) : 'Looking at the fleet'} />
      {error && <Fault title="The state of the fleet is not known" error={error} />}
      {status && connection === 'lost' && (
        <div className="notice tone-warn" role="status">
          <strong>Connection lost</strong>
          <p>
            This is the state of {moment(status.at)}. Trying again; if this stays, check that{' '}
            <code>berth up</code> still runs.
          </p>
        </div>
      )}
      {status && <FleetBody status={status} live={live} />}
      {!status && !error && connection === 'lost' && (
        <Fault title="No connection" error={new Error('The control server does not answer. Trying again.')} />
      )}
      {!status && !error && connection !== 'lost' && <div className="card skeleton" aria-hidden="true" />}
    </>
  );
}

function FleetBody({ status, live }: { status: FleetStatus; live: LiveFleet }): ReactNode {
  const { load, connection, skewMs } = live;
  const clock = useNow() + skewMs;
  // Ages stand still with the state that they belong to.
  const now = connection === 'live' ? clock : Date.parse(status.at);
  if (status.deployments.length === 0) return <EmptyFleet />;
  return (
    <>
      <Findings findings={status.findings} />
      <GatewayCard status={status} keyNeeded={load?.keyNeeded ?? false} limits={load?.limits ?? {}} />
      <section aria-labelledby="deployments">
        <h2 id="deployments">Deployments</h2>
        {status.deployments.map((deployment) => (
          <DeploymentCard key={deployment.name} deployment={deployment} load={load} now={now} />
        ))}
      </section>
      <LlmServices all={status.llmServices ?? []} />
      <Routes routes={status.routes} />
      {status.foreign > 0 && (
        <p className="note">
          {count(status.foreign, 'engine')} on this machine {status.foreign === 1 ? 'belongs' : 'belong'} to
          other fleets and {status.foreign === 1 ? 'is' : 'are'} left alone.
        </p>
      )}
    </>
  );
}

function EmptyFleet(): ReactNode {
  return (
    <div className="card empty">
      <h2>This fleet has no deployments yet</h2>
      <p>
        Name a model and a deployment in <code>berth.yaml</code>, then run <code>berth apply</code>.{' '}
        <code>berth init</code> writes a commented first file for this machine.
      </p>
    </div>
  );
}

function summary(status: FleetStatus): ReactNode {
  const replicas = status.deployments.flatMap((deployment) => deployment.replicas);
  const ready = replicas.filter((replica) => replica.state === 'ready').length;
  return (
    <>
      <strong>{status.fleet}</strong>
      {' · '}
      {count(status.deployments.length, 'deployment')}
      {' · '}
      {ready} of {count(replicas.length, 'replica')} ready
    </>
  );
}
