import { setTimeout as delay } from 'node:timers/promises';
import type { Strategy } from '../domain/load-shape.ts';
import { admit } from './admit.ts';
import { converse } from './converse.ts';
import type { Drain } from './drain.ts';
import type { Sender, StageInput, StagePorts } from './sender.ts';
import { stopReason } from './stage-state.ts';
import type { StageState } from './stage-state.ts';

type ClosedLoop = Extract<Strategy, { kind: 'closed' }>;

/** So many streams, each sends its next request when its last one has ended, until the stage's limit. */
export async function closedLoop(
  { streams, talk }: ClosedLoop,
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal; sender: Sender },
): Promise<void> {
  const { state, drain, signal, sender } = live;
  async function stream(number: number): Promise<void> {
    for (;;) {
      const phase = phaseNow();
      if (phase === 'stop') break;
      const { exchange } = await sender.send({ stream: number, phase, scheduled: ports.now() });
      if (exchange.fault || exchange.status !== 200)
        await pause(Math.min(1000, 20 * 2 ** Math.min(state.failedInRow, 6)), signal);
    }
    // The first stream that stops begins the drain.
    drain.begin();
  }

  function phaseNow(): 'warmup' | 'measured' | 'stop' {
    const stopped = ports.signal.aborted || stopReason(state, input.spec.limits) !== null;
    return admit({ ...state, now: ports.now(), streams, stopped }, input.spec);
  }

  let sessions = input.firstId;
  async function talking(number: number, how: NonNullable<typeof talk>): Promise<void> {
    const over = AbortSignal.any([drain.begun, signal]);
    while (phaseNow() !== 'stop') {
      const conversation = { number: sessions++, stream: number, due: ports.now() };
      const bad = await converse(how, conversation, input, {
        now: ports.now,
        sender,
        over,
        phaseOf: phaseNow,
      });
      if (bad !== null) await pause(Math.min(1000, 20 * 2 ** Math.min(state.failedInRow, 6)), signal);
    }
    drain.begin();
  }

  const work = Array.from({ length: streams }, (_, n) => (talk ? talking(n, talk) : stream(n)));
  await Promise.all(work);
}

/** After a fault: a refused connection must not become a busy loop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
