import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const [, ...kinds] = readFileSync(join(root, 'docs/development/wrong-inputs.md'), 'utf8').split('\n## ');

const targets = [
  'process',
  'systemd',
  'container unit',
  'docker',
  'podman',
  'process by ssh',
  'systemd by ssh',
  'docker by ssh',
  'kubernetes',
  'kserve',
].toSorted();

interface Row {
  readonly of: readonly string[];
  readonly test: string;
  readonly path: string;
}

function rowsOf(kind: string): Row[] {
  const lines = kind.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) => {
    const [of = '', test = '', path = ''] = line
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim());
    return { of: of.split(', '), test, path: path.replaceAll('`', '') };
  });
}

test('the page of wrong inputs tells all nine kinds of each target', () => {
  expect(kinds).toHaveLength(9);
  for (const kind of kinds)
    expect([...new Set(rowsOf(kind).flatMap(({ of }) => of))].toSorted(), kind).toEqual(targets);
});

test('each test that the page of wrong inputs names is there', () => {
  for (const { test, path } of kinds.flatMap(rowsOf)) {
    if (test.startsWith('none: ')) continue;
    const text = readFileSync(join(root, path), 'utf8');
    expect(text.includes(`'${test}`) || text.includes(`"${test}`), `${path}: ${test}`).toBe(true);
  }
});
