import { setTimeout as delay } from 'node:timers/promises';
import type { RequestRecord } from '../../domain/run/record.ts';
import type { Talk } from '../../domain/talk.ts';
import type { ChatMessage } from '../contract.ts';
import { openingOf, planConversation, turnPrompt, withHistory } from './conversation.ts';
import type { Sender, StageInput } from './sender.ts';
import { wholeId } from './shards.ts';

export interface Conversation {
  /** Of this client; in a whole run of several it has another one. */
  readonly number: number;
  readonly stream: number;
  /** When its first turn is due. */
  readonly due: number;
}

export interface ConversePorts {
  readonly now: () => number;
  readonly sender: Sender;
  /** Aborts when nothing more is admitted: whoever thinks then is not waited for. */
  readonly over: AbortSignal;
  /** Asked when a turn is due. */
  readonly phaseOf: (turn: number) => 'warmup' | 'measured' | 'stop';
}

/**
 * One conversation: each turn is sent with all that was said before, the server's own answers among it, when its user has
 * thought since the last answer ended. Gives the last answer that was none, for then there is nothing to go on with; null
 * when it came to its end, or nothing more was admitted.
 */
export async function converse(
  talk: Talk,
  conversation: Conversation,
  input: StageInput,
  ports: ConversePorts,
): Promise<RequestRecord | null> {
  const { spec, source } = input;
  const { number, stream } = conversation;
  const whole = spec.shard ? wholeId(number, spec.shard) : number;
  const plan = planConversation(talk, whole, { seed: spec.seed, source });
  const history: ChatMessage[] = openingOf(talk, source, whole);
  let due = conversation.due;
  for (let turn = 0; turn < plan.turns; turn += 1) {
    if (!(await isDue(due, ports))) return null;
    const phase = ports.phaseOf(turn);
    if (phase === 'stop') return null;
    const prompt = withHistory(history, turnPrompt(source, whole, turn));
    const session = { number, turn };
    const { record } = await ports.sender.send({
      stream,
      phase,
      scheduled: Math.round(due),
      prompt,
      session,
    });
    const answer = await record;
    if (answer.outcome !== 'ok') return answer;
    history.splice(0, history.length, ...prompt.content, { role: 'assistant', content: answer.text ?? '' });
    due = answer.done + plan.think(turn + 1);
  }
  return null;
}

/** Waits until a moment, never a moment less; false when nothing more is admitted before. */
async function isDue(due: number, { now, over }: ConversePorts): Promise<boolean> {
  for (;;) {
    if (over.aborted) return false;
    const wait = (due - now()) / 1000;
    if (wait <= 0) return true;
    // Timers fire early by parts of a millisecond.
    await delay(Math.max(1, wait), undefined, { signal: over }).catch(() => {});
  }
}
