import { expect, test } from 'vitest';
import { shellCommands } from './shell-words.ts';

const server = ['vllm', 'serve', 'org/m'];
const size = 128 * 1024;

const heres: readonly (readonly [string, string])[] = [
  ['a plain word', `cat <<EOF > f\nllama-server -m 'x\nEOF`],
  ['a backslash', `cat <<\\EOF > f\nllama-server -m 'x\nEOF`],
  ['a word with hyphens', `cat <<'END-OF-FILE' > f\nllama-server -m 'x\nEND-OF-FILE`],
  ['two of one line', `cat <<A - <<"B C" > f\nllama-server\nB C\nA\nvllm serve x\nB C`],
  ['tabs before its end', `cat <<-EOF > f\n\tllama-server\n\tEOF`],
];

test.each(heres)('what a here-document holds is data: %s', (_, text) => {
  const [cat, ...rest] = shellCommands(`${text}\nvllm serve org/m`);
  expect(cat?.[0]).toBe('cat');
  expect(rest).toEqual([server]);
});

test('a "<<" whose end never comes, and a here-string, hide nothing', () => {
  const text = 'x=$((1<<2))\necho "a << b"\ncat <<< vllm\nvllm serve org/m\nvllm\n';
  expect(shellCommands(text)).toContainEqual(server);
});

/** Each repeats a little up to 128 KiB; read with steps that grow by its square, it would take minutes. */
const hostile: readonly (readonly [string, string, string])[] = [
  ['closing parentheses', ')', 'x'],
  ['closing parentheses behind a group', '', `${')'.repeat(size)}x`],
  ['here-documents without an end', '<<a\n', ''],
  ['here-documents of one line without an end', '<<a', ''],
  ['one long name of a here-document', 'a', '\nb'],
  ['loops', 'do ', ''],
  ['cases', 'case ', ''],
  ['functions', 'function ', ''],
  ['open substitutions', '$(', ''],
  ['open arrays', 'a=(', ''],
  ['open arrays with comments', 'a=( #', '\nx'],
  ['open arrays with comments of no blank', 'a=(#', `\n${'x'.repeat(size / 2)}`],
  ['open arrays with quotes', `a=("`, ''],
  ['comments of one array', ` #'\n`, ''],
  ['backslashes', '\\', ''],
  ['backticks', 'a=(`', ''],
];

test.each(hostile)('%s of any number are read at once, and give no more than they are', (_, one, end) => {
  const times = one === '' ? 0 : Math.floor((size - end.length) / one.length);
  const start = one === ` #'\n` ? 'A=(' : one === 'a' ? 'cat <<' : one === '' ? '(a; b ' : '';
  const text = `${start}${one.repeat(times)}${end}`;
  const began = performance.now();
  const words = shellCommands(text).flat();
  expect(performance.now() - began).toBeLessThan(3000);
  expect(words.join('').length).toBeLessThanOrEqual(text.length);
});

test.each([
  ['a substitution', 'ARGS=(serve $(cat model) org/m)', 'ARGS=(serve $(cat model) org/m)'],
  ['a comment', `ARGS=(\n serve org/m # don't\n)`, `ARGS=(\n serve org/m # don't\n)`],
  ['backticks', 'ARGS+=(-t `nproc; a`)', 'ARGS+=(-t `nproc; a`)'],
])('an array that holds %s is one word', (_, text, word) => {
  expect(shellCommands(`${text}\nvllm serve org/m`)).toEqual([[word], server]);
});
