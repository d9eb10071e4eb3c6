import type { ReactNode } from 'react';
import type { RunSummary } from '../../../src/domain/run/report.ts';
import { figure, milliseconds, moment, unknown } from '../format.ts';
import { Fault } from '../parts/fault.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { State } from '../parts/state.tsx';
import type { Tone } from '../parts/state.tsx';
import { hrefOf } from '../route.ts';
import type { LiveFleet } from '../use-live-fleet.ts';
import { RunningCard } from './running-card.tsx';

/** Every benchmark that was kept, newest first. */
export function RunsPage({ live }: { live: LiveFleet }): ReactNode {
  const { runsError, running } = live;
  // The one that runs has a card of its own.
  const runs = live.runs?.filter(({ id }) => id !== running?.id);
  return (
    <>
      <PageHead title="Runs" lead="Benchmarks that were measured on this machine." />
      {runsError && <Fault title="The runs cannot be listed" error={runsError} />}
      {running && <RunningCard running={running} />}
      {runs && runs.length > 0 && <RunTable runs={runs} />}
      {runs?.length === 0 && !running && <NoRuns />}
    </>
  );
}

function NoRuns(): ReactNode {
  return (
    <div className="card empty">
      <h2>No runs yet</h2>
      <p>
        <code>berth bench NAME</code> measures a deployment of the fleet;{' '}
        <code>berth bench http://host:8000 --model x</code> measures any server.
      </p>
    </div>
  );
}

const tones: Record<RunSummary['state'], Tone> = { done: 'good', interrupted: 'warn', unfinished: 'neutral' };

function RunTable({ runs }: { runs: readonly RunSummary[] }): ReactNode {
  return (
    <div className="card">
      <table className="stacking">
        <caption className="hidden">Runs, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Started</th>
            <th scope="col">Target</th>
            <th scope="col">Stages</th>
            <th scope="col" className="number">
              Best output tokens/s
            </th>
            <th scope="col" className="number">
              TTFT p50, first stage
            </th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {runs
            .toSorted((a, b) => b.startedAt.localeCompare(a.startedAt))
            .map((run) => (
              <RunRow key={run.id} run={run} />
            ))}
        </tbody>
      </table>
    </div>
  );
}

function RunRow({ run }: { run: RunSummary }): ReactNode {
  const rates = run.stages.flatMap((stage) => stage.outputTokensPerSecond ?? []);
  return (
    <tr>
      <th scope="row" data-label="Run">
        {run.state === 'done' || run.state === 'interrupted' ? (
          <a href={hrefOf({ page: 'run', id: run.id })}>{run.name}</a>
        ) : (
          run.name
        )}
      </th>
      <td data-label="Started">{moment(run.startedAt)}</td>
      <td data-label="Target">{run.target.deployment ?? run.target.model ?? run.target.url}</td>
      <td data-label="Stages">{run.stages.map((stage) => stage.label).join(', ') || unknown}</td>
      <td data-label="Best output tokens/s" className="number">
        {rates.length === 0 ? unknown : figure(Math.max(...rates))}
      </td>
      <td data-label="TTFT p50, first stage" className="number">
        {milliseconds(run.stages[0]?.ttftP50Ms)}
      </td>
      <td data-label="State">
        <State tone={tones[run.state]}>{run.state}</State>
      </td>
    </tr>
  );
}
