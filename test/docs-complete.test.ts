import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../src/cli/commands.ts';
import { regenerate } from '../tools/docs/blocks.ts';
import { pagePaths } from '../tools/docs/pages.ts';

const root = resolve(import.meta.dirname, '..');
const pages = pagePaths();

test('every command is described in the docs', () => {
  const text = pages.map((page) => readFileSync(page, 'utf8')).join('\n');
  expect(commands.filter(({ name }) => !text.includes(`berth ${name}`)).map(({ name }) => name)).toEqual([]);
});

test('every command has a summary and examples that call it', async () => {
  const faults: string[] = [];
  for (const { name, summary, load } of commands) {
    const { examples = [] } = await load();
    if (!/^[A-Z].{10,100}\.$/.test(summary)) faults.push(`${name}: "${summary}" is no sentence`);
    if (examples.length === 0) faults.push(`${name} has no example`);
    for (const [line] of examples) {
      if (!line.startsWith('berth ')) faults.push(`${name}: the example "${line}" does not call berth`);
    }
  }
  expect(faults).toEqual([]);
});

test('the generated parts are those that the code gives now ("npm run docs" writes them)', async () => {
  const stale: string[] = [];
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    if ((await regenerate(text)) !== text) stale.push(relative(root, page));
  }
  expect(stale).toEqual([]);
});
