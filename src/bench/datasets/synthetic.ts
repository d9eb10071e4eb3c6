import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { sharedPart } from '../../domain/run/cache.ts';
import type { CacheState } from '../../domain/run/cache.ts';
import { meanOf } from '../../stats/lengths.ts';
import { seededRandom } from '../../stats/random.ts';
import type { BenchPrompt, Dataset, PromptServer, PromptSource } from '../contract.ts';
import { ImageOptions, imageShape } from '../prompts/image-options.ts';
import type { ImageShape } from '../prompts/image-options.ts';
import { plainText } from '../prompts/plain-text.ts';
import { LengthOptions, lengthAt } from '../prompts/length-options.ts';
import { PrefixBucket, commonBeginning, prefixChooser } from '../prompts/shared-prefix.ts';
import { createTextMaker, vocabularyOf } from '../prompts/text-maker.ts';
import type { TextMaker } from '../prompts/text-maker.ts';

const Options = z.strictObject({
  kind: z.literal('synthetic').default('synthetic'),
  prompt: LengthOptions.default(256).describe(
    'Prompt tokens of each request, counted as the server counts: chat template included. A number or a distribution.',
  ),
  output: LengthOptions.default(128).describe('Output tokens that each request asks for.'),
  prefix: z
    .array(PrefixBucket)
    .min(1)
    .optional()
    .describe('Beginnings that prompts share, in front of the prompt of their own.'),
  samples: z
    .int()
    .positive()
    .optional()
    .describe('So many different prompts, then the first again; without it every prompt is new.'),
  images: ImageOptions.optional().describe(
    'Images in front of each text: a number, or count, width and height. None comes twice.',
  ),
  source: z
    .string()
    .min(1)
    .optional()
    .describe('Text file whose words are taken, instead of common English ones.'),
});
type Options = z.infer<typeof Options>;

/** Keeps the generator of what all share apart from those of prompts. */
const systemTag = 0x7379_7374;

async function open(
  options: Options,
  server: PromptServer,
  seed: number,
  cache: CacheState = 'cold',
): Promise<PromptSource> {
  const maker = await createTextMaker(server, await vocabulary(options, server));
  const compose = composer(options, { maker, seed, cache });
  const { samples, images } = options;
  const shape = images === undefined ? null : imageShape(images);
  const illustrate = shape === null ? (prompt: BenchPrompt) => prompt : await illustrator(shape, seed);
  function numbered(id: number): BenchPrompt {
    return illustrate(compose(id), id);
  }
  const notes = await notesOf(options, maker, compose, server);
  if (shape !== null)
    notes.push(
      `Each prompt has ${shape.count === 1 ? 'an image' : `${shape.count} images`} of ${shape.width} × ${shape.height} pixels beside its text; how many tokens they are is the server's own count.`,
    );
  return {
    at: (id) => numbered(samples === undefined ? id : id % samples),
    ...(shape !== null && { uses: ['images' as const] }),
    templateTokens: maker.templateTokens,
    shared: (tokens) => maker.text(maker.words(tokens - 1, seededRandom(seed, systemTag))),
    notes,
  };
}

async function vocabulary(options: Options, server: PromptServer): Promise<readonly string[] | undefined> {
  const { source } = options;
  if (source === undefined) return undefined;
  const text = await server.readFile(source);
  if (text === null) throw new BerthError('FILE_MISSING', { path: source, what: 'text for prompts' });
  const words = vocabularyOf(text);
  if (words.length < 2)
    throw new BerthError('PROMPTS_INVALID', { path: source, faults: ['1: it has no words'] });
  return words;
}

/** Puts images in front of a prompt; then nobody but the server knows how many tokens it has. */
async function illustrator(
  shape: ImageShape,
  seed: number,
): Promise<(prompt: BenchPrompt, id: number) => BenchPrompt> {
  // Loaded with the first image: what packs them is Node's own, and large.
  const { imageMaker } = await import('../prompts/images.ts');
  const imageOf = imageMaker(shape, seed);
  return (prompt, id) => {
    const images = Array.from({ length: shape.count }, (_, nth) => ({
      type: 'image_url',
      image_url: { url: imageOf(id, nth) },
    }));
    const parts = [...images, { type: 'text', text: plainText(prompt.content) }];
    return {
      ...prompt,
      content: [{ role: 'user', content: parts }],
      promptTokens: { tokens: null, source: null },
    };
  };
}

/** Makes the prompt of a number: what it shares with others, then what it has of its own. */
function composer(
  options: Options,
  made: { maker: TextMaker; seed: number; cache: CacheState },
): (id: number) => BenchPrompt {
  const { maker, seed } = made;
  const prefixOf = prefixChooser(options.prefix ?? [], maker, seed);
  const common = commonBeginning(maker, seed);
  const share = sharedPart(made.cache);
  return (id) => {
    const asked = lengthAt(options.prompt, seed, id, 'prompt');
    const prefix = prefixOf(id);
    const shared = common(share === null ? 0 : Math.floor(share * asked - maker.base));
    const own = maker.words(asked - maker.base - shared.tokens, seededRandom(seed, id));
    return {
      content: maker.text(prefix.words, shared.words, own),
      promptTokens: { tokens: asked + prefix.tokens, source: maker.exact ? 'tokenize' : 'estimate' },
      outputTokens: lengthAt(options.output, seed, id, 'output'),
    };
  };
}

async function notesOf(
  options: Options,
  maker: TextMaker,
  compose: (id: number) => BenchPrompt,
  server: PromptServer,
): Promise<string[]> {
  const notes: string[] = [];
  const least = typeof options.prompt === 'number' ? options.prompt : (options.prompt.min ?? 1);
  if (maker.base >= meanOf(options.prompt))
    notes.push(
      `A prompt of ${meanOf(options.prompt)} tokens has no room: the server adds ${maker.base} by itself.`,
    );
  else if (!maker.exact)
    notes.push(
      'The server has no /tokenize and no tokenizer.json was named: prompt lengths are estimated, its own counts are reported.',
    );
  else await verify(compose, server, notes);
  if (maker.base >= least && maker.base < meanOf(options.prompt))
    notes.push(
      `Prompts that would be shorter than ${maker.base} tokens, which the server adds by itself, have those.`,
    );
  if (options.samples === 1) notes.push('One prompt is sent, again and again.');
  else if (options.samples !== undefined)
    notes.push(`${options.samples} different prompts are sent; after the last one the first is sent again.`);
  return notes;
}

/** The sum of the words must be the length of the whole; a tokenizer that merges across words breaks that. */
async function verify(
  compose: (id: number) => BenchPrompt,
  server: PromptServer,
  notes: string[],
): Promise<void> {
  // Far from the ids of real requests, so that no measured prompt is in a cache already.
  const trial = compose(0xffff_ffff);
  const counted = await server.countPrompt(trial.content as string);
  if (counted === null)
    notes.push('The server does not count prompts: lengths are those of the text, without its template.');
  else if (counted !== trial.promptTokens.tokens)
    notes.push(
      `A prompt made for ${trial.promptTokens.tokens} tokens was counted as ${counted} by the server.`,
    );
}

/** Random words cut to an exact number of tokens; unique per request, the same again for the same seed. */
export const synthetic: Dataset<'synthetic', Options> = {
  kind: 'synthetic',
  title: 'random words, cut to an exact number of tokens',
  options: Options,
  asksLength: true,
  open,
};
