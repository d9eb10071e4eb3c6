import { expect, test } from 'vitest';
import { verbatim } from './verbatim.ts';

/** What the kubelet makes of a word, where it has these variables. */
function given(word: string, env: Readonly<Record<string, string>>): string {
  return word.replaceAll(/\$(\$|\(([^)]*)\))/g, (whole, first: string, name: string) =>
    first === '$' ? '$' : (env[name] ?? whole),
  );
}

test.each([
  'plain',
  '$(HOME)/m.gguf',
  '$$(HOME)',
  '$$$(HOME)$',
  'a$$b',
  '$HOME',
  String.raw`\.ffn_.*_exps$=CPU`,
  '$(not ended',
  '$',
  '',
])('"%s" reaches its container as it stands', (word) => {
  expect(given(verbatim(word), { HOME: '/root' })).toBe(word);
});

test('what a cluster leaves alone is written as it is', () => {
  expect(verbatim(String.raw`\.ffn_.*$=CPU,$HOME`)).toBe(String.raw`\.ffn_.*$=CPU,$HOME`);
});
