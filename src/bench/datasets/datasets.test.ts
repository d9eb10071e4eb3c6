import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { PromptServer } from '../contract.ts';
import { parseData } from '../data-shorthand.ts';
import { openOf } from '../registry-entry.ts';
import { jsonl } from './jsonl.ts';
import { datasets } from './registry.ts';
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
    openFile: async () => null,
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
    { kind: 'jsonl', file: 'p.jsonl', output: 5, columns: {} },
    server({ readFile: async () => text }),
    1,
  );
  expect(source.at(0)).toMatchObject({ content: 'one', outputTokens: 5 });
  expect(source.at(1)).toMatchObject({ content: [{ role: 'user', content: 'two' }], outputTokens: 9 });
  expect(source.at(2)).toEqual(source.at(0));
});

test.each([
  ['{"prompt":"one"}\n{nonsense\n', 2],
  ['{"poem":"one"}\n', 1],
  ['', 1],
])('a file with a bad line is refused with its number: %j', async (text, line) => {
  const opened = jsonl.open(
    { kind: 'jsonl', file: 'p.jsonl', output: 5, columns: {} },
    server({ readFile: async () => text }),
    1,
  );
  await expect(opened).rejects.toMatchObject({
    code: 'PROMPTS_INVALID',
    facts: { faults: [expect.stringMatching(`^${line}: `)] },
  });
});

test('lengths follow their distribution within its bounds, from the seed alone', async () => {
  const lengths = { mean: 80, stdev: 20, min: 40, max: 120 };
  const spread = { kind: 'synthetic', prompt: lengths, output: { min: 5, max: 9 } } as const;
  const source = await synthetic.open(spread, server(), 3);
  const all = Array.from({ length: 400 }, (_, id) => source.at(id));
  const prompts = all.map(({ promptTokens }) => promptTokens.tokens as number);
  for (const [i, { content }] of all.entries()) expect(tokensOf(content as string) + 7).toBe(prompts[i]);
  expect(Math.min(...prompts)).toBeGreaterThanOrEqual(40);
  expect(Math.max(...prompts)).toBeLessThanOrEqual(120);
  expect(prompts.reduce((sum, each) => sum + each, 0) / 400).toBeCloseTo(80, -1);
  const outputs = all.map(({ outputTokens }) => outputTokens);
  expect(new Set(outputs)).toEqual(new Set([5, 6, 7, 8, 9]));
  const again = await synthetic.open(spread, server(), 3);
  expect(all).toEqual(Array.from({ length: 400 }, (_, id) => again.at(id)));
});

test('buckets of prefixes are drawn by their weight, and each adds its tokens to the prompt', async () => {
  const prefix = [
    { tokens: 30, count: 2, weight: 3 },
    { tokens: 12, count: 1, weight: 1 },
  ];
  const source = await synthetic.open({ ...options(40), prefix }, server(), 1);
  const all = Array.from({ length: 400 }, (_, id) => source.at(id));
  for (const { content, promptTokens } of all)
    expect(tokensOf(content as string) + 7).toBe(promptTokens.tokens);
  const long = all.filter(({ promptTokens }) => promptTokens.tokens === 70);
  expect(all.length - long.length).toBe(all.filter(({ promptTokens }) => promptTokens.tokens === 52).length);
  expect(long.length / all.length).toBeCloseTo(0.75, 1);
  // Two different beginnings in the first bucket, one in the other; what follows is each prompt's own.
  const beginnings = new Set(all.map(({ content }) => (content as string).split(' ').slice(0, 6).join(' ')));
  expect(beginnings.size).toBe(3);
  expect(new Set(all.map(({ content }) => content)).size).toBe(400);
});

test('a shared part is the same text in every prompt, and what is left differs', async () => {
  const spread = { kind: 'synthetic', prompt: { min: 60, max: 200 }, output: 5 } as const;
  const source = await synthetic.open(spread, server(), 1, { shared: 0.5 });
  const all = Array.from({ length: 50 }, (_, id) => source.at(id)).map(({ content, promptTokens }) => ({
    words: (content as string).split(' '),
    tokens: promptTokens.tokens as number,
  }));
  const longest = all.reduce((most, each) => (each.tokens > most.tokens ? each : most));
  for (const each of all) {
    const same = each.words.findIndex((word, i) => word !== longest.words[i]);
    const shared = each === longest ? each.words.length : same;
    const tokens = tokensOf(each.words.slice(0, shared).join(' ')) + 7;
    expect(tokens).toBeGreaterThan(0.5 * each.tokens - 6);
    expect(each === longest ? 0 : tokens).toBeLessThan(0.5 * each.tokens + 20);
    expect(tokensOf(each.words.join(' ')) + 7).toBe(each.tokens);
  }
});

test('a number of samples is sent over and over, and words can be those of a text', async () => {
  const text = 'Wir messen, was wir messen können: Zeiten und Zahlen.';
  const source = await synthetic.open(
    { ...options(30), samples: 3, source: '/text.txt' },
    server({ readFile: async () => text }),
    1,
  );
  expect(source.at(4)).toEqual(source.at(1));
  expect(new Set([0, 1, 2, 3, 4].map((id) => source.at(id).content)).size).toBe(3);
  const own = new Set(text.match(/\p{L}+/gu));
  for (const word of (source.at(0).content as string).split(' ').slice(1)) expect(own).toContain(word);
  expect(source.notes.join(' ')).toContain('3 different prompts');
  const missing = synthetic.open({ ...options(30), source: '/none.txt' }, server(), 1);
  await expect(missing).rejects.toMatchObject({ code: 'FILE_MISSING' });
});

test('the same seed gives the same bytes on every machine', async () => {
  const prefix = [{ tokens: 20, count: 2, weight: 1 }];
  const source = await synthetic.open(
    { kind: 'synthetic', prompt: { mean: 90, stdev: 30 }, output: { mean: 50, stdev: 9 }, prefix },
    server(),
    42,
  );
  const all = Array.from({ length: 100 }, (_, id) => source.at(id));
  const digest = createHash('sha256').update(JSON.stringify(all)).digest('hex');
  expect(digest).toBe('1ad38142cd973a4f0b55e8b255a7a8c0fe3acba804aa03ed29acfee93966774b');
});

test('the shorthand of other tools is understood, every key of it', () => {
  expect(parseData('prompt_tokens=256,output_tokens=128')).toEqual({
    kind: 'synthetic',
    prompt: 256,
    output: 128,
  });
  expect(parseData('kind=synthetic_text,prompt_tokens=8')).toEqual({ kind: 'synthetic', prompt: 8 });
  expect(parseData('prompts.jsonl')).toEqual({ kind: 'jsonl', file: 'prompts.jsonl' });
  const all =
    'prompt_tokens=256,prompt_tokens_stdev=32,prompt_tokens_min=64,prompt_tokens_max=512,output_tokens=128,' +
    'output_tokens_stdev=8,output_tokens_min=100,output_tokens_max=200,prefix_tokens=64,samples=500,source=words.txt';
  expect(parseData(all)).toEqual({
    kind: 'synthetic',
    prompt: { mean: 256, stdev: 32, min: 64, max: 512 },
    output: { mean: 128, stdev: 8, min: 100, max: 200 },
    prefix: [{ tokens: 64 }],
    samples: 500,
    source: 'words.txt',
  });
  const buckets = 'prompt_tokens=8,prefix_buckets=[{bucket_weight:3,prefix_count:2,prefix_tokens:64}]';
  expect(parseData(buckets)).toEqual({
    kind: 'synthetic',
    prompt: 8,
    prefix: [{ weight: 3, count: 2, tokens: 64 }],
  });
  expect(parseData('{"prompt_tokens": 8, "output_tokens": 4}')).toEqual({
    kind: 'synthetic',
    prompt: 8,
    output: 4,
  });
  expect(() => openOf(datasets, parseData('prompt_tokens=8,stdev=3'))).toThrow('stdev');
  expect(() => parseData('prompt_tokens=8,nonsense')).toThrow('nonsense');
});
