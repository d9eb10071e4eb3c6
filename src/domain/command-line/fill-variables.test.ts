import { expect, test } from 'vitest';
import { unwrap } from './unwrap.ts';

const size = 128 * 1024;
/** No text may become more than this, whatever it says: its own length, and the room that it has. */
const most = size + (1 << 20);

const word = 'x'.repeat(60_000);
function names(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `N${at}`);
}

/** Each would become gigabytes, or as many as there are no names for. */
const growing: readonly (readonly [string, string])[] = [
  ['an array that doubles', `A=(a b); ${'A+=("${A[@]}"); '.repeat(40)} ./x "\${A[@]}"`],
  ['an array made of itself', `A=(a b); ${'A=("${A[@]}" "${A[@]}"); '.repeat(40)} ./x "\${A[@]}"`],
  ['a string that doubles', `A=ab; ${'A=$A$A; '.repeat(60)} ./x $A`],
  ['a string that is added to itself', `A=ab; ${'A+=$A; '.repeat(60)} ./x $A`],
  ['a long variable that many commands are handed', `export A=${word}; ${'x;'.repeat(30_000)}`],
  ['many variables that many commands are handed', `export ${names(9000).join('=1 ')}; ${'x;'.repeat(9000)}`],
  ['names of none that many commands are handed', `export ${names(9000).join(' ')}; ${'x;'.repeat(9000)}`],
  ['a long variable that many commands name', `A=${word}; ${'x $A;'.repeat(10_000)}`],
  ['a long variable that one word names often', `A=${word}; x ${'$A'.repeat(30_000)}`],
  ['a long array that many commands name', `A=(${'a '.repeat(30_000)}); ${'x "${A[@]}";'.repeat(5000)}`],
  ['a text in a text', `A=${word}; ${'eval "x \\$A \\$A";'.repeat(3000)}`],
  ['defaults that do not end', '${A-'.repeat(30_000)],
  ['an option of set', `set -${'a'.repeat(120_000)}!; x`],
];

function lengthOf(argv: readonly string[]): number {
  return unwrap(argv)
    .flatMap(({ program, args, env }) => [program, ...args, ...new Set(Object.values(env))])
    .reduce((sum, one) => sum + one.length, 0);
}

test.each(growing)('%s becomes no more than a bound, and that at once', (_, text) => {
  const began = performance.now();
  expect(lengthOf(['bash', '-c', text])).toBeLessThan(most);
  expect(performance.now() - began).toBeLessThan(5000);
});

test.each([
  ['"$@"', '"$@";'.repeat(10_000), Array.from({ length: 10_000 }, () => 'abcde')],
  ['$1', '$1'.repeat(20_000), ['p', word]],
])('words behind a text that names them often, as %s, are put in up to a bound', (_, text, behind) => {
  expect(lengthOf(['bash', '-c', `x ${text}`, ...behind])).toBeLessThan(2 * most);
});

test('each of many commands with a variable of its own keeps those of all others only as far as there is room', () => {
  const env = names(9000).map((name) => `${name}=1`);
  const kept = unwrap([...env, 'bash', '-c', 'A=1 x;'.repeat(9000)]);
  expect(kept).toHaveLength(9000);
  expect(kept[0]?.env).toMatchObject({ A: '1', N1: '1' });
  expect(kept.at(-1)?.env).toEqual({ A: '1' });
});

test.each([
  ['a name first', 'export HF_TOKEN VLLM_API_KEY=s3'],
  ['a name last', 'declare -x VLLM_API_KEY=s3 HF_TOKEN'],
  ['a name set before', 'VLLM_API_KEY=s3; export -- HF_TOKEN VLLM_API_KEY'],
])('what is exported beside names alone is handed on: %s', (_, text) => {
  const [server] = unwrap(['bash', '-c', `${text}; exec vllm serve org/m`]);
  expect(server).toMatchObject({ program: 'vllm', env: { VLLM_API_KEY: 's3' } });
});

test('names that every object has are no variables', () => {
  expect(unwrap(['bash', '-c', 'vllm serve $toString ${constructor}'])[0]?.args).toEqual([
    'serve',
    '$toString',
    '${constructor}',
  ]);
});
