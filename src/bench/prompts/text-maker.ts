import type { Random } from '../../stats/random.ts';
import type { PromptServer } from '../contract.ts';
import { words as commonWords } from './words.ts';

/** Every prompt starts with this word, so that what follows it always has a space in front. */
const head = 'Tell';

/** A word and the tokens it adds behind another word. */
interface Weighed {
  readonly word: string;
  readonly tokens: number;
}

/** Makes texts of random words that have a wanted number of tokens. */
export interface TextMaker {
  /** Tokens of a request with the first word alone: the chat template and that word. */
  readonly base: number;
  /** Tokens that the chat template adds; null when unknown. */
  readonly templateTokens: number | null;
  /** False when the server offers no tokenizer: lengths are estimated. */
  readonly exact: boolean;
  /** Random words of so many tokens together, to be put behind other words. */
  readonly words: (tokens: number, random: Random) => string[];
  /** The longest beginning of these words that has at most so many tokens, and how many it has. */
  readonly cut: (words: readonly string[], tokens: number) => { words: readonly string[]; tokens: number };
  /** Words as the text of a prompt. */
  readonly text: (...parts: readonly (readonly string[])[]) => string;
}

/** Weighs the words by the server's own counts. `vocabulary`: other words than the built-in ones. */
export async function createTextMaker(
  server: PromptServer,
  vocabulary: readonly string[] = commonWords,
): Promise<TextMaker> {
  const { countTokens } = server;
  const bare = countTokens ? await countTokens(head) : null;
  const { base, weighed } = countTokens
    ? await weigh(server, { countTokens, bare: bare ?? 1, vocabulary })
    : await estimate(server, vocabulary);
  const sizes = weighed.map(({ tokens }) => tokens);
  const byWord = new Map(weighed.map(({ word, tokens }) => [word, tokens]));
  const scale = { weighed, smallest: Math.min(...sizes), largest: Math.max(...sizes) };
  return {
    base,
    templateTokens: bare === null ? null : Math.max(0, base - bare),
    exact: countTokens !== null,
    words: (tokens, random) => compose(scale, tokens, random),
    cut: (words, tokens) => {
      let used = 0;
      const end = words.findIndex((word) => (used += byWord.get(word) ?? 0) > tokens);
      const kept = end < 0 ? words : words.slice(0, end);
      return { words: kept, tokens: kept.reduce((sum, word) => sum + (byWord.get(word) ?? 0), 0) };
    },
    text: (...parts) => [head, ...parts.flat()].join(' '),
  };
}

/** Counts each word behind the head, so that a tokenizer's handling of spaces at the start does not matter. */
async function weigh(
  server: PromptServer,
  counting: {
    countTokens: (text: string) => Promise<number>;
    bare: number;
    vocabulary: readonly string[];
  },
): Promise<{ base: number; weighed: Weighed[] }> {
  const { countTokens, bare, vocabulary } = counting;
  const weighed: Weighed[] = [];
  const batch = 8;
  for (let at = 0; at < vocabulary.length; at += batch) {
    const counted = vocabulary
      .slice(at, at + batch)
      .map(async (word) => ({ word, tokens: (await countTokens(`${head} ${word}`)) - bare }));
    weighed.push(...(await Promise.all(counted)));
  }
  const usable = weighed.filter(({ tokens }) => tokens > 0);
  const sample = usable.slice(0, 4);
  const whole = await server.countPrompt([head, ...sample.map(({ word }) => word)].join(' '));
  const base = whole === null ? bare : whole - sample.reduce((sum, { tokens }) => sum + tokens, 0);
  return { base, weighed: usable };
}

/** Without a tokenizer: from the server's own counts of two prompts, else one token a word. */
async function estimate(
  server: PromptServer,
  vocabulary: readonly string[],
): Promise<{ base: number; weighed: Weighed[] }> {
  const none = await server.countPrompt(head);
  const many = await server.countPrompt([head, ...vocabulary].join(' '));
  const each = none === null || many === null ? 1 : Math.max(1, (many - none) / vocabulary.length);
  return { base: none ?? 1, weighed: vocabulary.map((word) => ({ word, tokens: each })) };
}

interface Scale {
  readonly weighed: readonly Weighed[];
  readonly smallest: number;
  readonly largest: number;
}

/** Random words up to the wanted length; the last ones are chosen to fit what is left. */
function compose(scale: Scale, tokens: number, random: Random): string[] {
  const text: string[] = [];
  const { smallest, largest } = scale;
  let left = tokens;
  while (left >= smallest) {
    const roomy = left >= largest + smallest;
    const fitting = roomy ? scale.weighed : fit(scale, left);
    const chosen = fitting[random.below(fitting.length)] as Weighed;
    text.push(chosen.word);
    left -= chosen.tokens;
  }
  return text;
}

/** Words that fit into what is left, and of these the ones that leave nothing or room for another. */
function fit(scale: Scale, left: number): readonly Weighed[] {
  const short = scale.weighed.filter(({ tokens }) => tokens <= left);
  const good = short.filter(({ tokens }) => left - tokens < 1 || left - tokens >= scale.smallest);
  return good.length > 0 ? good : short;
}

/** Words of a text of the user's own, each once, at most so many. */
export function vocabularyOf(text: string, most = 400): string[] {
  const found = new Set<string>();
  for (const [word] of text.matchAll(/[\p{L}\p{M}]+/gu)) {
    found.add(word);
    if (found.size === most) break;
  }
  return [...found];
}
