import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { convert, convertedText } from './convert.ts';

test('an id that reads like a number stays an id', () => {
  const made = convert('theirs.yaml', 'models: {a: {cmd: "llama-server -m a.gguf"}}', {
    folder: '/',
    env: {},
  });
  for (const id of ['12345678', '1e234567']) {
    const text = convertedText(made, { schema: '/schema.json', fleet: 'home', id, source: 'theirs.yaml' });
    expect((parse(text) as { id: unknown }).id).toBe(id);
  }
});
