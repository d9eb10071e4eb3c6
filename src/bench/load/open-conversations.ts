import type { Talk } from '../../domain/talk.ts';
import { admit } from './admit.ts';
import { converse } from './converse.ts';
import type { Drain } from './drain.ts';
import type { Sender, StageInput, StagePorts } from './sender.ts';
import { stopReason } from './stage-state.ts';
import type { StageState } from './stage-state.ts';

export interface OpenConversation {
  /** In the schedule of this client. */
  readonly number: number;
  readonly stream: number;
  readonly due: number;
  readonly phase: 'warmup' | 'measured';
}

/** Conversations that begin by a schedule: `end` is told when the stage's limit is reached, so that no more begin. */
export function conversationStarter(
  talk: Talk,
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal; sender: Sender; end: AbortController },
): (conversation: OpenConversation) => Promise<void> {
  const { state, drain, sender, end } = live;
  const over = AbortSignal.any([drain.begun, ports.signal, end.signal, live.signal]);

  /** A turn belongs to the phase in which it comes due; when the stage's limit is reached it is not sent any more. */
  function phaseOf(first: 'warmup' | 'measured' | null): 'warmup' | 'measured' | 'stop' {
    const stopped = over.aborted || stopReason(state, input.spec.limits) !== null;
    if (!stopped && (first === 'warmup' || (first === null && state.measuredSince === null))) return 'warmup';
    const plan = { warmup: { kind: 'none' }, limits: input.spec.limits } as const;
    const phase = admit({ ...state, now: ports.now(), streams: 1, stopped }, plan);
    if (phase === 'stop') {
      end.abort();
      drain.begin();
    }
    return phase;
  }

  return async ({ number, phase, ...conversation }) => {
    const own = { ...conversation, number: input.firstId + number };
    await converse(talk, own, input, {
      now: ports.now,
      sender,
      over,
      phaseOf: (turn) => phaseOf(turn === 0 ? phase : null),
    });
  };
}
