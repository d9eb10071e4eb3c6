import { z } from 'zod';
import { createHash } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { seededRandom } from '../../stats/random.ts';
import type { BenchPrompt, Dataset, PromptServer, PromptSource } from '../contract.ts';
import { blockTexts } from '../prompts/block-texts.ts';
import { createTextMaker } from '../prompts/text-maker.ts';
import type { TextMaker } from '../prompts/text-maker.ts';
import { readTrace } from '../traces/read-trace.ts';
import type { Trace } from '../traces/read-trace.ts';
import { traceOptions } from '../traces/trace-options.ts';

const Options = z.strictObject({ kind: z.literal('trace'), ...traceOptions });
type Options = z.infer<typeof Options>;

async function open(options: Options, server: PromptServer, seed: number): Promise<PromptSource> {
  const { file } = options;
  const text = await server.readFile(file);
  if (text === null) throw new BerthError('FILE_MISSING', { path: file, what: 'trace of requests' });
  const trace = readTrace(text, { ...options, path: file });
  const maker = await createTextMaker(server);
  const promptOf = composer(trace, { maker, seed, blockTokens: options.blockTokens });
  const { length } = trace.requests;
  return {
    at: (id) => promptOf(id % length, Math.floor(id / length)),
    timed: { due: Float64Array.from(trace.requests, ({ at }) => at * 1e6), at: promptOf },
    templateTokens: maker.templateTokens,
    notes: notesOf(trace, maker, { file, sha256: createHash('sha256').update(text).digest('hex') }),
  };
}

/** Makes the prompt of a request of the trace; another `round` has other words of the same lengths and blocks. */
function composer(
  { requests }: Trace,
  made: { maker: TextMaker; seed: number; blockTokens: number },
): (number: number, round: number) => BenchPrompt {
  const { maker, seed, blockTokens } = made;
  const blockOf = blockTexts(maker, { seed, tokens: blockTokens });
  return (number, round) => {
    const request = requests[number];
    if (!request) throw new Error(`the trace has ${requests.length} requests, not ${number + 1}`);
    const room = Math.max(0, request.prompt - maker.base);
    const shared = (request.blocks ?? []).map((block) => blockOf(block, round));
    const fitting = maker.cut(shared.flat(), room);
    const own = maker.words(room - fitting.tokens, seededRandom(seed, number, round));
    return {
      content: maker.text(fitting.words, own),
      promptTokens: { tokens: request.prompt, source: maker.exact ? 'tokenize' : 'estimate' },
      outputTokens: Math.max(1, request.output),
    };
  };
}

function notesOf(trace: Trace, maker: TextMaker, of: { file: string; sha256: string }): string[] {
  const { requests, skipped } = trace;
  const seconds = requests.at(-1)?.at ?? 0;
  const notes = [
    `${requests.length} requests of ${of.file} (${trace.format}, ${seconds.toFixed(1)} s, SHA-256 ${of.sha256}).`,
    ...[...skipped].map(([why, count]) => `${count} lines of the trace were left out: ${why}.`),
  ];
  const none = requests.filter(({ output }) => output === 0).length;
  if (none > 0) notes.push(`${none} requests of the trace had no output; one token is asked for.`);
  const short = requests.filter(({ prompt }) => prompt < maker.base).length;
  if (short > 0)
    notes.push(
      `${short} prompts of the trace are shorter than the ${maker.base} tokens that the server adds by itself.`,
    );
  if (!maker.exact)
    notes.push(
      'The server has no /tokenize and no tokenizer.json was named: prompt lengths are estimated, its own counts are reported.',
    );
  return notes;
}

/** Prompts of the lengths that a trace has, which begin alike where the trace says so. */
export const trace: Dataset<'trace', Options> = {
  kind: 'trace',
  title: 'prompts and answers as long as those of a trace',
  options: Options,
  asksLength: true,
  open,
};
