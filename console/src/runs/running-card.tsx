import type { ReactNode } from 'react';
import { count, figure, milliseconds } from '../format.ts';
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
        {stage === null ? 'Getting ready' : `Stage ${stage.index + 1}: ${stage.label}`}
        {tick && `, ${phases[tick.phase]}`}
      </p>
      {stage?.seconds && tick && (
        <progress max={stage.seconds} value={tick.elapsedSeconds} aria-label="Time of this stage" />
      )}
      {tick && (
        <dl className="facts wide">
          {figuresOf(tick).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {tick && (
        <p className="muted">
          {count(tick.done, 'request')} done, {tick.failed} failed
        </p>
      )}
    </section>
  );
}

function figuresOf(tick: NonNullable<Running['tick']>): [string, string][] {
  return [
    ['Time to first token', milliseconds(tick.ttftMs)],
    ['Gap between tokens', milliseconds(tick.itlMs)],
    ['Events', `${figure(tick.eventsPerSecond)}/s`],
    ['Under way', String(tick.inFlight)],
  ];
}
