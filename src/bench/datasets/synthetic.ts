import { z } from 'zod';
import { seededRandom } from '../../stats/random.ts';
import type { Random } from '../../stats/random.ts';
import type { BenchPrompt, Dataset, PromptServer, PromptSource } from '../contract.ts';
import { words } from './synthetic/words.ts';

const Options = z.strictObject({
  kind: z.literal('synthetic').default('synthetic'),
  prompt: z
    .int()
    .positive()
    .default(256)
    .describe('Prompt tokens of each request, counted as the server counts: chat template included.'),
  output: z.int().positive().default(128).describe('Output tokens that each request asks for.'),
});
type Options = z.infer<typeof Options>;

/** Every prompt starts with this word, so that what follows it always has a space in front. */
const head = 'Tell';

/** A word and the tokens it adds behind another word. */
interface Weighed {
  readonly word: string;
  readonly tokens: number;
}

/** How long a prompt is before the first random word, and what each word adds. */
interface Scale {
  readonly base: number;
  readonly words: readonly Weighed[];
  readonly smallest: number;
  readonly largest: number;
  readonly exact: boolean;
}

async function open(options: Options, server: PromptServer, seed: number): Promise<PromptSource> {
  const bare = server.countTokens ? await server.countTokens(head) : null;
  const scale = server.countTokens
    ? await weigh(server, server.countTokens, bare ?? 1)
    : await estimate(server);
  function at(id: number): BenchPrompt {
    return compose(options, scale, seededRandom(seed, id));
  }
  const notes: string[] = [];
  if (scale.base >= options.prompt)
    notes.push(`A prompt of ${options.prompt} tokens has no room: the server adds ${scale.base} by itself.`);
  else if (!scale.exact)
    notes.push('The server has no /tokenize: prompt lengths are estimated, its own counts are reported.');
  else await verify(options, scale, server, seed, notes);
  return { at, templateTokens: bare === null ? null : Math.max(0, scale.base - bare), notes };
}

/** Counts each word behind the head, so that a tokenizer's handling of spaces at the start does not matter. */
async function weigh(
  server: PromptServer,
  countTokens: (text: string) => Promise<number>,
  bare: number,
): Promise<Scale> {
  const weighed: Weighed[] = [];
  const batch = 8;
  for (let at = 0; at < words.length; at += batch) {
    const counted = words
      .slice(at, at + batch)
      .map(async (word) => ({ word, tokens: (await countTokens(`${head} ${word}`)) - bare }));
    weighed.push(...(await Promise.all(counted)));
  }
  const usable = weighed.filter(({ tokens }) => tokens > 0);
  const sample = usable.slice(0, 4);
  const whole = await server.countPrompt([head, ...sample.map(({ word }) => word)].join(' '));
  const base = whole === null ? bare : whole - sample.reduce((sum, { tokens }) => sum + tokens, 0);
  return scaleOf(base, usable, true);
}

/** Without a tokenizer: from the server's own counts of two prompts, else one token a word. */
async function estimate(server: PromptServer): Promise<Scale> {
  const none = await server.countPrompt(head);
  const many = await server.countPrompt([head, ...words].join(' '));
  const each = none === null || many === null ? 1 : Math.max(1, (many - none) / words.length);
  const weighed = words.map((word) => ({ word, tokens: each }));
  return scaleOf(none ?? 1, weighed, false);
}

/** Random words up to the wanted length; the last ones are chosen to fit what is left. */
function compose(options: Options, scale: Scale, random: Random): BenchPrompt {
  const text = [head];
  let left = options.prompt - scale.base;
  const { smallest, largest } = scale;
  while (left >= smallest) {
    const roomy = left >= largest + smallest;
    const fitting = roomy ? scale.words : fit(scale, left);
    const chosen = fitting[random.below(fitting.length)] as Weighed;
    text.push(chosen.word);
    left -= chosen.tokens;
  }
  return {
    content: text.join(' '),
    promptTokens: { tokens: options.prompt, source: scale.exact ? 'tokenize' : 'estimate' },
    outputTokens: options.output,
  };
}

/** Words that fit into what is left, and of these the ones that leave nothing or room for another. */
function fit(scale: Scale, left: number): readonly Weighed[] {
  const short = scale.words.filter(({ tokens }) => tokens <= left);
  const good = short.filter(({ tokens }) => left - tokens < 1 || left - tokens >= scale.smallest);
  return good.length > 0 ? good : short;
}

function scaleOf(base: number, weighed: readonly Weighed[], exact: boolean): Scale {
  const tokens = weighed.map((each) => each.tokens);
  return { base, words: weighed, smallest: Math.min(...tokens), largest: Math.max(...tokens), exact };
}

/** The sum of the words must be the length of the whole; a tokenizer that merges across words breaks that. */
async function verify(
  options: Options,
  scale: Scale,
  server: PromptServer,
  seed: number,
  notes: string[],
): Promise<void> {
  // Far from the ids of real requests, so that no measured prompt is in a cache already.
  const trial = compose(options, scale, seededRandom(seed, 0xffff_ffff));
  const counted = await server.countPrompt(trial.content as string);
  if (counted === null)
    notes.push('The server does not count prompts: lengths are those of the text, without its template.');
  else if (counted !== options.prompt)
    notes.push(`A prompt made for ${options.prompt} tokens was counted as ${counted} by the server.`);
}

/** Random words cut to an exact number of tokens; unique per request, the same again for the same seed. */
export const synthetic: Dataset<'synthetic', Options> = {
  kind: 'synthetic',
  title: 'random words, cut to an exact number of tokens',
  options: Options,
  open,
};
