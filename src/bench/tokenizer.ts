import { z } from 'zod';
import type { World } from '../io/world.ts';
import { requestHeaders } from './request-body.ts';

export interface Tokenizer {
  readonly name: string;
  readonly count: (text: string) => Promise<number>;
}

const Tokens = z.object({ tokens: z.array(z.unknown()), count: z.int().optional() });

/** The two request shapes in use; both answer with a list of tokens. */
const shapes = [
  {
    name: '/tokenize (llama-server)',
    body: (text: string) => ({ content: text, add_special: false }),
  },
  {
    name: '/tokenize (vLLM)',
    body: (text: string, model: string) => ({ model, prompt: text, add_special_tokens: false }),
  },
] as const;

/** The server's own tokenizer, by whichever shape it answers; null when it has none. */
export async function findTokenizer(
  world: World,
  baseUrl: string,
  model: string,
  key: string | null,
): Promise<Tokenizer | null> {
  for (const shape of shapes) {
    async function count(text: string): Promise<number> {
      const reply = await world.http.request(`${baseUrl}/tokenize`, {
        method: 'POST',
        headers: requestHeaders(key),
        body: JSON.stringify(shape.body(text, model)),
        timeoutMs: 10_000,
      });
      if (reply.status !== 200) throw new Error(`HTTP ${reply.status} on /tokenize`);
      return Tokens.parse(JSON.parse(reply.text)).tokens.length;
    }
    try {
      // A server that ignores the field with the text answers with no tokens.
      if ((await count('one two three')) > 0) return { name: shape.name, count };
    } catch {
      // Not this shape.
    }
  }
  return null;
}
