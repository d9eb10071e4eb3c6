import type { Strategy } from '../../domain/load-shape.ts';
import { closedLoop } from '../load/closed-loop.ts';
import type { SlotsPort } from '../load/closed-loop.ts';
import { createDrain } from '../load/drain.ts';
import { openLoop } from '../load/open-loop.ts';
import { createSender } from '../load/sender.ts';
import type { StageInput, StagePorts } from '../load/sender.ts';
import type { StageState } from '../load/stage-state.ts';

/**
 * Runs a stage to its limit, then waits for what is in flight, at most `drainSeconds`; what is left is cut and recorded as
 * censored. Resolves when every record has been given out.
 */
export async function runStage(
  input: StageInput & { readonly strategy: Strategy },
  ports: StagePorts,
  state: StageState,
  slots: SlotsPort = {},
): Promise<void> {
  const { strategy } = input;
  // What was to be found out before the first request took its time.
  state.startedAt = ports.now();
  using drain = createDrain(input.spec, () => (state.draining = true));
  const signal = AbortSignal.any([drain.signal, ports.signal]);
  const sender = createSender(input, ports, { state, drain, signal });
  const live = { state, drain, signal, sender };
  if (strategy.kind === 'closed') await closedLoop(strategy, input, ports, { ...live, ...slots });
  else await openLoop(strategy, input, ports, live);
  await sender.settled();
}
