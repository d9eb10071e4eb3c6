import { mostTurns } from '../domain/talk.ts';
import type { NumberSpread, Talk } from '../domain/talk.ts';
import { drawLength } from '../stats/lengths.ts';
import { seededRandom } from '../stats/random.ts';
import type { BenchPrompt, ChatMessage, PromptSource } from './contract.ts';

/** Keep the generators of turns and of thinking apart from those of prompts. */
const turnsTag = 0x7475_726e;
const thinkTag = 0x7468_6e6b;

/** What is known of a conversation before it begins: of the seed and its number alone. */
export interface ConversationPlan {
  readonly turns: number;
  /** µs between the end of an answer and the next turn, by the number of that turn (1 is the second one). */
  readonly think: (turn: number) => number;
}

export function planConversation(talk: Talk, seed: number, number: number): ConversationPlan {
  const { turns, thinkSeconds } = talk;
  const drawn = typeof turns === 'number' ? turns : drawLength(turns, seededRandom(seed, number, turnsTag));
  return {
    turns: Math.min(drawn, mostTurns),
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

/** What a user says at a turn: a prompt of the source that no other turn of any conversation has. */
export function turnPrompt(source: PromptSource, number: number, turn: number): BenchPrompt {
  return (source.whole ?? source.at)(number * (mostTurns + 1) + turn);
}

/** The beginning of every conversation. */
export function openingOf({ system }: Talk, source: PromptSource): ChatMessage[] {
  if (system === null) return [];
  const content = typeof system === 'string' ? system : source.shared?.(system);
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
