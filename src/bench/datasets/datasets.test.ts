import { expect, test } from 'vitest';
import type { PromptServer } from '../contract.ts';
import { parseData } from '../data-shorthand.ts';
import { jsonl } from './jsonl.ts';
import { synthetic } from './synthetic.ts';

/** A tokenizer with a token for every three letters begun, and a template of 7 tokens. */
function tokensOf(text: string): number {
  return text.split(' ').reduce((sum, word) => sum + Math.ceil(word.length / 3), 0);
}

function server(changes: Partial<PromptServer> = {}): PromptServer {
  return {
    countTokens: async (text) => tokensOf(text),
    tokenizer: 'fake',
    countPrompt: async (text) => tokensOf(text) + 7,
    readFile: async () => null,
    ...changes,
  };
}

function options(prompt: number) {
  return { kind: 'synthetic', prompt, output: 5 } as const;
}

test.each([16, 17, 64, 333])(
  'a synthetic prompt has exactly %i tokens, template included',
  async (prompt) => {
    const source = await synthetic.open(options(prompt), server(), 1);
    for (let id = 0; id < 50; id += 1) {
      const { content, promptTokens, outputTokens } = source.at(id);
      expect(tokensOf(content as string) + 7).toBe(prompt);
      expect(promptTokens).toEqual({ tokens: prompt, source: 'tokenize' });
      expect(outputTokens).toBe(5);
    }
    expect(source).toMatchObject({ templateTokens: 7, notes: [] });
  },
);

test('prompts are unique, and the same again for the same seed', async () => {
  const one = await synthetic.open(options(64), server(), 5);
  const two = await synthetic.open(options(64), server(), 5);
  const other = await synthetic.open(options(64), server(), 6);
  const texts = Array.from({ length: 200 }, (_, id) => one.at(id).content);
  expect(new Set(texts).size).toBe(200);
  expect(texts).toEqual(Array.from({ length: 200 }, (_, id) => two.at(id).content));
  expect(other.at(0).content).not.toBe(texts[0]);
});

test('without a tokenizer lengths are estimated from what the server counts, and marked so', async () => {
  const source = await synthetic.open(options(200), server({ countTokens: null, tokenizer: null }), 1);
  const { content, promptTokens } = source.at(0);
  expect(promptTokens.source).toBe('estimate');
  expect(tokensOf(content as string) + 7).toBeGreaterThan(140);
  expect(tokensOf(content as string) + 7).toBeLessThan(260);
  expect(source.notes.join(' ')).toContain('estimated');
});

test('a server that counts otherwise than its tokenizer is reported', async () => {
  let asked = 0;
  async function countPrompt(text: string): Promise<number> {
    asked += 1;
    return tokensOf(text) + 7 + (asked > 1 ? 2 : 0);
  }
  const source = await synthetic.open(options(64), server({ countPrompt }), 1);
  expect(source.notes.join(' ')).toContain('counted as 66');
});

test('a prompt shorter than what the server adds by itself is reported', async () => {
  const source = await synthetic.open(options(5), server(), 1);
  expect(source.notes.join(' ')).toContain('no room');
});

test('prompts of a file come in its order, again from the start after the last', async () => {
  const text = '{"prompt":"one"}\n\n{"messages":[{"role":"user","content":"two"}],"max_tokens":9}\n';
  const source = await jsonl.open(
    { kind: 'jsonl', file: 'p.jsonl', output: 5 },
    server({ readFile: async () => text }),
    1,
  );
  expect(source.at(0)).toMatchObject({ content: 'one', outputTokens: 5 });
  expect(source.at(1)).toMatchObject({ content: [{ role: 'user', content: 'two' }], outputTokens: 9 });
  expect(source.at(2)).toEqual(source.at(0));
});

test.each([
  ['{"prompt":"one"}\n{nonsense\n', 2],
  ['{"text":"one"}\n', 1],
  ['', 1],
])('a file with a bad line is refused with its number: %j', async (text, line) => {
  const opened = jsonl.open(
    { kind: 'jsonl', file: 'p.jsonl', output: 5 },
    server({ readFile: async () => text }),
    1,
  );
  await expect(opened).rejects.toMatchObject({ code: 'PROMPTS_INVALID', facts: { line } });
});

test('the shorthand of other tools is understood, and what is not is named', () => {
  expect(parseData('prompt_tokens=256,output_tokens=128')).toEqual({
    kind: 'synthetic',
    prompt: 256,
    output: 128,
  });
  expect(parseData('kind=synthetic_text,prompt_tokens=8')).toEqual({ kind: 'synthetic', prompt: 8 });
  expect(parseData('prompts.jsonl')).toEqual({ kind: 'jsonl', file: 'prompts.jsonl' });
  expect(() => parseData('prompt_tokens=8,stdev=3')).toThrow('stdev=3');
});
