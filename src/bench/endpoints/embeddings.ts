import { z } from 'zod';
import type { Exchange } from '../../io/timed-request.ts';
import { countedAnswer } from '../answer.ts';
import { plainText } from '../prompts/plain-text.ts';
import type { Answer, BenchEndpoint } from './contract.ts';

const Options = z.strictObject({
  kind: z.literal('embeddings'),
  inputs: z.int().positive().max(2048).default(1).describe('Texts of one request.'),
  dimensions: z
    .int()
    .positive()
    .optional()
    .describe('Length of each vector, where the model lets it choose.'),
  encoding: z.enum(['float', 'base64']).optional().describe('How vectors come; servers give float unasked.'),
});
type Options = z.infer<typeof Options>;

const Body = z.object({
  id: z.string().nullish(),
  // Vectors are long: that there is one is all that is looked at.
  data: z.array(z.object({ embedding: z.unknown() })),
});

function read(exchange: Exchange): Answer {
  return countedAnswer(exchange, (value) => {
    const parsed = Body.safeParse(value);
    if (!parsed.success) return null;
    return { id: parsed.data.id ?? null, inputs: parsed.data.data.filter(holds).length };
  });
}

function holds({ embedding }: { embedding: unknown }): boolean {
  return (Array.isArray(embedding) || typeof embedding === 'string') && embedding.length > 0;
}

/** Vectors of texts. */
export const embeddings: BenchEndpoint<'embeddings', Options> = {
  kind: 'embeddings',
  title: 'embeddings of texts',
  path: '/v1/embeddings',
  options: Options,
  generates: false,
  takes: ['prompt', 'inputs'],
  texts: ({ inputs }) => inputs,
  inputs: ({ texts }) => texts?.length ?? 1,
  countsTexts: true,
  leastOutput: 1,
  body: ({ model, prompt, options: { dimensions, encoding } }) => ({
    model,
    input: prompt.texts ?? [plainText(prompt.content)],
    ...(dimensions === undefined ? {} : { dimensions }),
    ...(encoding === undefined ? {} : { encoding_format: encoding }),
  }),
  read,
};
