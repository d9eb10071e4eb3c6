import type { Strategy } from '../../domain/load-shape.ts';
import { mostTurns } from '../../domain/talk.ts';
import type { NumberSpread, Talk } from '../../domain/talk.ts';
import { drawLength } from '../../stats/lengths.ts';
import { seededRandom } from '../../stats/random.ts';
import type { BenchPrompt, ChatMessage, PromptSource } from '../contract.ts';

/** Turns of a conversation where neither the load nor the data say a number. */
const usualTurns = { min: 2, max: 6 } as const;

/** Keep the generators of turns and of thinking apart from those of prompts. */
const turnsTag = 0x7475_726e;
const thinkTag = 0x7468_6e6b;

/** What is known of a conversation before it begins: of the seed and its number alone. */
export interface ConversationPlan {
  readonly turns: number;
  /** µs between the end of an answer and the next turn, by the number of that turn (1 is the second one). */
  readonly think: (turn: number) => number;
}

/** A load that leaves the number of turns to its data, with what that comes to: a report says what was sent. */
export function withTurns(strategy: Strategy, source: PromptSource): Strategy {
  if (strategy.talk?.turns !== null || source.conversation !== undefined) return strategy;
  return { ...strategy, talk: { ...strategy.talk, turns: usualTurns } };
}

export function planConversation(
  talk: Talk,
  number: number,
  { seed, source }: { seed: number; source: PromptSource },
): ConversationPlan {
  const { turns, thinkSeconds } = talk;
  const drawn =
    turns === null
      ? mostTurns
      : typeof turns === 'number'
        ? turns
        : drawLength(turns, seededRandom(seed, number, turnsTag));
  const there = source.conversation?.(number).turns.length ?? mostTurns;
  return {
    turns: Math.min(drawn, there, mostTurns),
    think: (turn) => {
      if (typeof thinkSeconds === 'number') return Math.round(thinkSeconds * 1e6);
      return drawLength(inMicros(thinkSeconds), seededRandom(seed, number, thinkTag, turn));
    },
  };
}

function inMicros({ distribution, ...numbers }: NumberSpread): NumberSpread {
  const scaled = Object.entries(numbers).map(([key, value]) => [key, value && Math.round(value * 1e6)]);
  return { min: 0, ...(Object.fromEntries(scaled) as NumberSpread), ...(distribution && { distribution }) };
}

/** What a user says at a turn: as the conversation has it, else a prompt of the source that no other turn of any has. */
export function turnPrompt(source: PromptSource, number: number, turn: number): BenchPrompt {
  const said = source.conversation?.(number).turns[turn];
  if (said) return { ...said, promptTokens: { tokens: null, source: null } };
  return (source.whole ?? source.at)(number * (mostTurns + 1) + turn);
}

/** The beginning of every conversation; what the load says takes the place of one's own. */
export function openingOf({ system }: Talk, source: PromptSource, number: number): ChatMessage[] {
  const own = source.conversation?.(number).system ?? undefined;
  const content = typeof system === 'number' ? source.shared?.(system) : (system ?? own);
  return content === undefined ? [] : [{ role: 'system', content }];
}

/** All that was said so far and what is said now, as the next request has it. */
export function withHistory(
  history: readonly ChatMessage[],
  prompt: BenchPrompt,
): Omit<BenchPrompt, 'content'> & { readonly content: readonly ChatMessage[] } {
  const { content } = prompt;
  const said: readonly ChatMessage[] = typeof content === 'string' ? [{ role: 'user', content }] : content;
  return {
    content: [...history, ...said],
    // How long the answers were is known to the server alone.
    promptTokens: history.length === 0 ? prompt.promptTokens : { tokens: null, source: null },
    outputTokens: prompt.outputTokens,
  };
}
