import { z } from 'zod';
import type { Exchange } from '../../io/timed-request.ts';
import { countedAnswer } from '../answer.ts';
import { plainText } from '../prompts/plain-text.ts';
import type { Answer, BenchEndpoint } from './contract.ts';

const Options = z.strictObject({
  kind: z.literal('rerank'),
  documents: z.int().positive().max(10_000).default(10).describe('Documents of one request.'),
  queryWords: z
    .int()
    .positive()
    .default(16)
    .describe('Words of the query, which is the beginning of a prompt of its own.'),
});
type Options = z.infer<typeof Options>;

const Body = z.object({
  id: z.string().nullish(),
  results: z.array(z.object({ relevance_score: z.number() })),
});

function read(exchange: Exchange): Answer {
  return countedAnswer(exchange, (value) => {
    const parsed = Body.safeParse(value);
    return parsed.success ? { id: parsed.data.id ?? null, inputs: parsed.data.results.length } : null;
  });
}

/** Documents in the order of what they have to do with a query. */
export const rerank: BenchEndpoint<'rerank', Options> = {
  kind: 'rerank',
  title: 'documents ranked by a query',
  path: '/v1/rerank',
  options: Options,
  generates: false,
  takes: ['prompt', 'inputs', 'ranking'],
  texts: ({ documents }) => documents + 1,
  inputs: ({ query, texts = [''] }) => (query === undefined ? Math.max(1, texts.length - 1) : texts.length),
  // Servers count the query once for each document, or once, or not at all.
  countsTexts: false,
  leastOutput: 1,
  body: ({ model, prompt, options: { queryWords } }) => {
    const { query, texts = [plainText(prompt.content)] } = prompt;
    if (query !== undefined) return { model, query, documents: texts };
    const [first = '', ...documents] = texts;
    return {
      model,
      query: first.split(' ').slice(0, queryWords).join(' '),
      documents: documents.length > 0 ? documents : [first],
    };
  },
  read,
};
