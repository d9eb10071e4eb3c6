import { setTimeout as delay } from 'node:timers/promises';
import { admit } from './admit.ts';
import type { Drain } from './drain.ts';
import type { Sender, StageInput, StagePorts } from './sender.ts';
import { stopReason } from './stage-state.ts';
import type { StageState } from './stage-state.ts';

/** So many streams, each sends its next request when its last one has ended, until the stage's limit. */
export async function closedLoop(
  streams: number,
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal; sender: Sender },
): Promise<void> {
  const { state, drain, signal, sender } = live;
  async function stream(number: number): Promise<void> {
    for (;;) {
      const stopped = ports.signal.aborted || stopReason(state, input.spec.limits) !== null;
      const phase = admit({ ...state, now: ports.now(), streams, stopped }, input.spec);
      if (phase === 'stop') break;
      const exchange = await sender.send({ stream: number, phase, scheduled: ports.now() });
      if (exchange.fault || exchange.status !== 200)
        await pause(Math.min(1000, 20 * 2 ** Math.min(state.failedInRow, 6)), signal);
    }
    // The first stream that stops begins the drain.
    drain.begin();
  }
  await Promise.all(Array.from({ length: streams }, (_, number) => stream(number)));
}

/** After a fault: a refused connection must not become a busy loop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
