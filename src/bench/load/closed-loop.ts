import { setTimeout as delay } from 'node:timers/promises';
import type { Strategy } from '../../domain/load-shape.ts';
import { admit } from './admit.ts';
import { converse } from './converse.ts';
import type { Drain } from './drain.ts';
import type { Sender, StageInput, StagePorts } from './sender.ts';
import { stopReason } from './stage-state.ts';
import type { StageState } from './stage-state.ts';

type ClosedLoop = Extract<Strategy, { kind: 'closed' }>;

/** The slots of the stage before, each to be waited for, and who hears of this one's when it admits no more. */
export interface SlotsPort {
  readonly inherited?: readonly Promise<void>[];
  readonly onOver?: (slots: readonly Promise<void>[]) => void;
}

/** So many streams, each sends its next request when its last one has ended, until the stage's limit. */
export async function closedLoop(
  { streams, talk, rampSeconds }: ClosedLoop,
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal; sender: Sender } & SlotsPort,
): Promise<void> {
  const { state, drain, signal, sender } = live;
  async function stream(number: number): Promise<void> {
    const inherited = live.inherited?.[number];
    await (inherited ?? rampUp(number));
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

  // Those slots too that this stage has no use for.
  let handedOver = live.inherited === undefined || live.inherited.length === 0;
  void Promise.all(live.inherited ?? []).then(() => (handedOver = true));

  /** Slots that are new begin one after the other. */
  async function rampUp(number: number): Promise<void> {
    if (rampSeconds === undefined || number === 0) return;
    const wait = (state.startedAt - ports.now()) / 1000 + (rampSeconds * 1000 * number) / streams;
    await delay(wait, undefined, { signal: AbortSignal.any([drain.begun, signal]) }).catch(() => {});
  }

  function phaseNow(): 'warmup' | 'measured' | 'stop' {
    const stopped = ports.signal.aborted || state.draining || stopReason(state, input.spec.limits) !== null;
    const now = ports.now();
    const growing = !handedOver || now - state.startedAt < (rampSeconds ?? 0) * 1e6;
    return admit({ ...state, now, streams, stopped, growing }, input.spec);
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
  // A timer may end the stage's time a moment before the clock does: what it says holds for every slot.
  if (drain.begun.aborted) live.onOver?.(work);
  else drain.begun.addEventListener('abort', () => live.onOver?.(work), { once: true });
  await Promise.all(work);
}

/** After a fault: a refused connection must not become a busy loop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
