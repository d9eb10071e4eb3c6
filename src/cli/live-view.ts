import type { RunProgress } from '../domain/run-progress.ts';

type Stage = Extract<RunProgress, { type: 'stage-started' }>;
type Tick = Extract<RunProgress, { type: 'tick' }>;

const phases = {
  warmup: 'warming up',
  measured: 'measuring',
  draining: 'waiting for the last answers',
} as const;
const barCells = 24;

/** Two lines that say where a stage stands and how the server does; pure. */
export function liveLines(stage: Stage, tick: Tick): [string, string] {
  const share = shareOf(stage, tick);
  const filled = Math.round((share ?? 0) * barCells);
  const bar = share === null ? '' : `  [${'#'.repeat(filled)}${'.'.repeat(barCells - filled)}]`;
  const left = secondsLeft(stage, tick);
  const figures = [
    `TTFT ${ms(tick.ttftMs)}`,
    `ITL ${ms(tick.itlMs)}`,
    `about ${tick.eventsPerSecond.toFixed(0)} tokens/s`,
    `${tick.inFlight} in flight`,
    `${tick.done} done`,
    `${tick.failed} failed`,
  ];
  return [
    `${stage.label}: ${phases[tick.phase]}${bar}  ${tick.elapsedSeconds.toFixed(0)} s of ${lengthOf(stage)}${left === null ? '' : `, ${left} s left`}`,
    `  ${figures.join('   ')}`,
  ];
}

export function lengthOf({ seconds, requests }: Stage): string {
  return [
    ...(seconds === null ? [] : [`${seconds} s`]),
    ...(requests === null ? [] : [`${requests} requests`]),
  ].join(' or ');
}

/** How much of the stage is done, by whichever limit comes first; null before it is measured. */
function shareOf(stage: Stage, tick: Tick): number | null {
  if (tick.phase === 'warmup') return null;
  const byTime = stage.seconds === null ? 0 : tick.elapsedSeconds / stage.seconds;
  const byCount = stage.requests === null ? 0 : tick.done / stage.requests;
  return Math.min(1, Math.max(byTime, byCount));
}

function secondsLeft(stage: Stage, tick: Tick): number | null {
  const share = shareOf(stage, tick);
  if (share === null || share === 0 || tick.phase === 'draining') return null;
  return Math.ceil((tick.elapsedSeconds / share) * (1 - share));
}

function ms(value: number | null): string {
  return value === null ? '-' : `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
