import type { BenchPrompt, PromptSource } from '../contract.ts';
import { plainText } from '../prompts/plain-text.ts';

/**
 * Prompts for an API whose requests hold several texts and get no tokens back: each request takes the next so many of the
 * source. A prompt that has texts of its own keeps those.
 */
export function groupedPrompts(
  source: PromptSource,
  texts: number,
  { countsTexts }: { countsTexts: boolean },
): PromptSource {
  function group(first: BenchPrompt, more: (nth: number) => BenchPrompt): BenchPrompt {
    if (first.texts !== undefined) return { ...first, outputTokens: null };
    const all = [first, ...Array.from({ length: texts - 1 }, (_, i) => more(i + 1))];
    return {
      ...first,
      texts: all.map(({ content }) => plainText(content)),
      promptTokens: countsTexts ? sumOf(all) : { tokens: null, source: null },
      outputTokens: null,
    };
  }
  const { timed } = source;
  return {
    ...source,
    at: (id) => group(source.at(id * texts), (nth) => source.at(id * texts + nth)),
    ...(timed && {
      timed: {
        ...timed,
        at: (number: number, round: number) =>
          group(timed.at(number, round * texts), (nth) => timed.at(number, round * texts + nth)),
      },
    }),
  };
}

function sumOf(prompts: readonly BenchPrompt[]): BenchPrompt['promptTokens'] {
  const [first] = prompts;
  const tokens = prompts.map(({ promptTokens }) => promptTokens.tokens);
  if (!first || tokens.includes(null)) return { tokens: null, source: null };
  return {
    tokens: tokens.reduce<number>((sum, each) => sum + (each ?? 0), 0),
    source: first.promptTokens.source,
  };
}
