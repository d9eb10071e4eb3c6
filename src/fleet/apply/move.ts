import type { Action } from '../../domain/plan.ts';
import { urlOf } from './ready.ts';
import type { Successor, Traffic } from './traffic.ts';

type Replace = Extract<Action, { do: 'replace' }>;
type Change = Exclude<Action, { do: 'keep' }>;
type Stop = Extract<Action, { do: 'stop' }>;

/** What a change of one engine needs done around it. */
export interface Steps {
  /** No other replica of the deployment serves. */
  readonly alone: boolean;
  /** Where the engine that runs is. */
  readonly machine: string;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** Ends the new one again. */
  readonly discard: () => Promise<void>;
  /** Ends the old one that served on while the new one started; null: it does not serve on. */
  readonly finish: (() => Promise<void>) | null;
  /** The old one as it was, where the new one never answered. */
  readonly back: () => Promise<void>;
  /** Gives one that is to take its place more and more of the requests. Throws where that is worse, or does nothing. */
  readonly ease: (to: Successor) => Promise<void>;
  /** What the gateway takes in before one that is to stop gets no more requests; resolves once whoever serves instead answers. */
  readonly before: () => Promise<{ readonly to: Successor | null } | null>;
}

/** Starts, stops or replaces one engine with its requests out of the way. */
export async function changeEngine(traffic: Traffic, action: Change, steps: Steps): Promise<void> {
  switch (action.do) {
    case 'start':
      return steps.start();
    case 'stop':
      return handOver(traffic, action, steps);
    case 'replace':
      return replaceEngine(traffic, action, steps);
  }
}

/** Whoever takes its place has its requests before it gets no more. */
async function handOver(
  traffic: Traffic,
  action: Stop,
  { before, ease, stop, machine }: Pick<Steps, 'before' | 'ease' | 'stop' | 'machine'>,
): Promise<void> {
  const shift = await before();
  if (shift?.to) await ease(shift.to);
  if (shift) await traffic({ do: 'shift', ...shift });
  await traffic({ do: 'drain', url: urlOf(action.running), machine, forMs: patienceMs(action) });
  await stop();
}

/**
 * Replaces one engine. Beside the old one, the new one starts first, takes the requests over, and the old one ends when
 * its last is served. In its place, newcomers wait while the old one makes room; with other replicas in service they go
 * there instead. A target that starts the new one in its place and leaves the old one to serve makes nobody wait.
 */
async function replaceEngine(traffic: Traffic, action: Replace, steps: Steps): Promise<void> {
  const { running } = action;
  if (action.beside) {
    await steps.start();
    await easeBeside(traffic, action, steps);
    await shiftTo(traffic, action);
    await traffic({
      do: 'drain',
      url: urlOf(running),
      machine: steps.machine,
      forMs: patienceMs(action),
    });
    await steps.stop();
    return;
  }
  if (steps.finish) return rollEngine(traffic, action, { ...steps, finish: steps.finish });
  try {
    await makeRoom(traffic, action, steps);
    await settle(traffic, action, steps);
  } catch (error) {
    await goBack(traffic, action, steps);
    throw error;
  } finally {
    await letIn(traffic, action, steps);
  }
}

/** Who is not good enough after all ends its last requests, and is gone before that is told. */
async function easeBeside(
  traffic: Traffic,
  action: Replace,
  { ease, discard, machine }: Pick<Steps, 'ease' | 'discard' | 'machine'>,
): Promise<void> {
  const { deployment, replica, wanted } = action;
  try {
    await ease({ deployment, replica, port: wanted.port, machine });
  } catch (error) {
    const forMs = patienceMs(action);
    await traffic({ do: 'drain', url: urlOf(wanted), machine, forMs, calm: true });
    await discard();
    throw error;
  }
}

async function rollEngine(
  traffic: Traffic,
  action: Replace,
  {
    start,
    back,
    finish,
    machine,
  }: Pick<Steps, 'start' | 'back' | 'machine'> & { readonly finish: () => Promise<void> },
): Promise<void> {
  try {
    await start();
  } catch (error) {
    await back();
    throw error;
  }
  await shiftTo(traffic, action);
  await traffic({ do: 'drain', url: urlOf(action.running), machine, forMs: patienceMs(action) });
  await finish();
  await traffic({ do: 'resume', url: urlOf(action.running), machine });
}

/** First half of a replacement in place: the old engine is gone, and newcomers wait. */
export async function makeRoom(
  traffic: Traffic,
  action: Replace,
  steps: Pick<Steps, 'stop' | 'alone' | 'machine'>,
): Promise<void> {
  const forMs = patienceMs(action);
  if (steps.alone) await traffic({ do: 'hold', deployment: action.deployment, forMs });
  await traffic({ do: 'drain', url: urlOf(action.running), machine: steps.machine, forMs });
  await steps.stop();
}

/** Second half: the new one answers and is in force. */
export async function settle(traffic: Traffic, action: Replace, steps: Pick<Steps, 'start'>): Promise<void> {
  await steps.start();
  await shiftTo(traffic, action);
}

/** The change has failed midway: the old engine serves again before anyone is let in. */
export async function goBack(
  traffic: Traffic,
  action: Replace,
  steps: Pick<Steps, 'back' | 'alone'>,
): Promise<void> {
  // The time that they were to wait for the new one is over by now, or nearly so.
  if (steps.alone) await traffic({ do: 'hold', deployment: action.deployment, forMs: patienceMs(action) });
  await steps.back();
}

/** Takes back what `makeRoom` asked for, whatever came of it. */
export async function letIn(
  traffic: Traffic,
  action: Replace | Stop,
  { alone, machine }: Pick<Steps, 'alone' | 'machine'>,
): Promise<void> {
  await traffic({ do: 'resume', url: urlOf(action.running), machine });
  if (alone) await traffic({ do: 'release', deployment: action.deployment });
}

/**
 * An engine that must end before it serves elsewhere, since another one waits for its port: newcomers wait from now until
 * `letIn`, after the one elsewhere is in force.
 */
export async function partFrom(
  traffic: Traffic,
  action: Stop,
  { stop, alone, machine }: Pick<Steps, 'stop' | 'alone' | 'machine'>,
  startMs: number,
): Promise<void> {
  const forMs = patienceMs(action) + startMs;
  if (alone) await traffic({ do: 'hold', deployment: action.deployment, forMs });
  await traffic({ do: 'drain', url: urlOf(action.running), machine, forMs });
  await stop();
}

async function shiftTo(traffic: Traffic, { deployment, replica, wanted }: Replace): Promise<void> {
  await traffic({ do: 'shift', to: { deployment, replica, port: wanted.port } });
}

/** After that long something has gone wrong, and whoever waits is better told so. */
function patienceMs(action: Exclude<Change, { do: 'start' }>): number {
  const start = action.do === 'replace' ? action.wanted.spec.readiness.startTimeoutMs : 0;
  return start + action.running.stop.graceMs + 120_000;
}
