import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { seededRandom } from '../../stats/random.ts';
import type { BenchPrompt, Dataset, PromptServer, PromptSource, SaidTurn } from '../contract.ts';
import { textOf } from '../prompts/file-prompts.ts';
import { jsonRows } from '../prompts/json-rows.ts';
import { conversationOf } from '../prompts/sharegpt-turns.ts';
import type { FileConversation } from '../prompts/sharegpt-turns.ts';

const Options = z.strictObject({
  kind: z.literal('sharegpt'),
  file: z
    .string()
    .min(1)
    .describe(
      'Conversations as ShareGPT has them: a JSON list or JSON lines with "conversations" of "from" and "value" (or "messages" of "role" and "content").',
    ),
  samples: z
    .int()
    .positive()
    .default(1000)
    .describe(
      'So many conversations are drawn from the file by the seed; after the last the first comes again.',
    ),
  output: z
    .int()
    .positive()
    .optional()
    .describe('Output tokens that each request asks for; without it as many as the answer in the file has.'),
  context: z
    .int()
    .positive()
    .optional()
    .describe('Most tokens of a conversation, answers included: the turns beyond are left out.'),
});
type Options = z.infer<typeof Options>;

/** Keeps the draw of conversations apart from that of prompts. */
const drawTag = 0x7367_7074;

interface Counted {
  readonly system: string | null;
  readonly turns: readonly SaidTurn[];
}

async function open(options: Options, server: PromptServer, seed: number): Promise<PromptSource> {
  const { file: path, samples } = options;
  const text = await textOf(server.readFile, path);
  const { found, left } = conversationsOf(text, path);
  const drawn = draw(found, samples, seed);
  const counted = await inBatches(drawn, (one) => withLengths(one, options, server));
  const fitting = counted.filter(({ turns }) => turns.length > 0);
  if (fitting.length === 0)
    throw new BerthError('PROMPTS_INVALID', {
      path,
      faults: [`1: no conversation has a first turn that fits into ${options.context} tokens`],
    });
  function of(number: number): Counted {
    return fitting[number % fitting.length] as Counted;
  }
  return {
    at: (id) => firstTurn(of(id)),
    conversation: of,
    templateTokens: null,
    notes: [
      `${fitting.length} of ${found.length} conversations of ${path} (SHA-256 ${createHash('sha256').update(text).digest('hex')}), drawn by the seed; after the last one the first comes again.`,
      ...(left > 0
        ? [`${left} entries of the file were left out: they have no turn of a user with an answer.`]
        : []),
      ...(counted.length > fitting.length
        ? [
            `${counted.length - fitting.length} conversations were left out: their first turn is longer than ${options.context} tokens.`,
          ]
        : []),
      ...(server.countTokens === null && (options.output === undefined || options.context !== undefined)
        ? ['The server has no /tokenize and no tokenizer.json was named: a token is taken for four letters.']
        : []),
    ],
  };
}

function conversationsOf(text: string, path: string): { found: FileConversation[]; left: number } {
  const found: FileConversation[] = [];
  const faults: string[] = [];
  let left = 0;
  for (const row of jsonRows(text)) {
    const conversation = 'value' in row ? conversationOf(row.value) : null;
    if ('fault' in row) faults.push(`${row.at}: ${row.fault}`);
    else if (conversation) found.push(conversation);
    else left += 1;
  }
  if (found.length === 0 && faults.length === 0)
    faults.push('1: it has no conversation; prompts alone are of kind=jsonl');
  if (faults.length > 0) throw new BerthError('PROMPTS_INVALID', { path, faults });
  return { found, left };
}

/** Some of them in an order of the seed's (Fisher and Yates, as far as is wanted). */
function draw(all: readonly FileConversation[], count: number, seed: number): FileConversation[] {
  const random = seededRandom(seed, drawTag);
  const order = [...all];
  const wanted = Math.min(count, order.length);
  for (let i = 0; i < wanted; i += 1) {
    const other = i + random.below(order.length - i);
    [order[i], order[other]] = [order[other] as FileConversation, order[i] as FileConversation];
  }
  return order.slice(0, wanted);
}

/** The turns that fit, each with the tokens to ask for. What a template adds is not counted. */
async function withLengths(
  { system, turns }: FileConversation,
  { output, context }: Options,
  { countTokens }: PromptServer,
): Promise<Counted> {
  const count = countTokens ?? ((text: string) => Promise.resolve(Math.ceil(text.length / 4)));
  const kept: SaidTurn[] = [];
  let used = context === undefined || system === null ? 0 : await count(system);
  for (const { said, answer } of turns) {
    const outputTokens = Math.max(1, output ?? (await count(answer)));
    if (context !== undefined) used += (await count(said)) + outputTokens;
    if (context !== undefined && used > context) break;
    kept.push({ content: said, outputTokens });
  }
  return { system, turns: kept };
}

function firstTurn({ system, turns }: Counted): BenchPrompt {
  const first = turns[0] as SaidTurn;
  return {
    content: [
      ...(system === null ? [] : [{ role: 'system', content: system }]),
      { role: 'user', content: first.content },
    ],
    promptTokens: { tokens: null, source: null },
    outputTokens: first.outputTokens,
  };
}

/** A server's /tokenize is asked so many questions at once. */
async function inBatches<In, Out>(all: readonly In[], work: (one: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  for (let at = 0; at < all.length; at += 16)
    done.push(...(await Promise.all(all.slice(at, at + 16).map(work))));
  return done;
}

/** What people really said to a chat, and answers as long as those they got. */
export const sharegpt: Dataset<'sharegpt', Options> = {
  kind: 'sharegpt',
  title: 'conversations of a ShareGPT file',
  options: Options,
  asksLength: true,
  open,
};
