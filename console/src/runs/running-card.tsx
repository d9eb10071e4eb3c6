import type { ReactNode } from 'react';
import { count, figure } from '../format.ts';
import type { Running } from './running.ts';

const phases = {
  warmup: 'warming up',
  measured: 'measuring',
  draining: 'letting the last answers end',
} as const;

/** The benchmark that runs now. */
export function RunningCard({ running }: { running: Running }): ReactNode {
  const { stage, tick } = running;
  return (
    <section className="card" aria-labelledby="running">
      <div className="card-head">
        <h2 id="running">Running now: {running.name}</h2>
      </div>
      <p>
        {stage === null ? 'Getting ready' : `Stage ${running.stagesDone + 1}: ${stage.label}`}
        {tick && `, ${phases[tick.phase]}`}
      </p>
      {stage?.seconds && tick && (
        <progress max={stage.seconds} value={tick.elapsedSeconds} aria-label="Time of this stage" />
      )}
      {tick && (
        <p className="muted">
          {count(tick.done, 'request')} done, {tick.failed} failed, {tick.inFlight} under way,{' '}
          {figure(tick.eventsPerSecond)} events/s
        </p>
      )}
    </section>
  );
}
