import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { fencesOf, pagePaths } from '../../tools/docs/pages.ts';
import { root } from './source-tree.ts';

const pages = pagePaths();
const shells = ['sh', 'bash', 'shell', 'console', 'zsh'];

/** What a command block may say of itself; `sh manual="why no test runs it"`. */
const tags = /^sh (test|live=[a-z][\w.,-]*|manual="[^"]{8,}")$/;

test('every command block says how it is tested, and every other block what it holds', () => {
  const faults = pages.flatMap(fencesOf).flatMap(({ page, line, language, info }) => {
    const where = `${relative(root, page)}:${line}`;
    if (language === '') return [`${where} names no language`];
    return shells.includes(language) && !tags.test(info) ? [`${where} is tagged "${info}"`] : [];
  });
  expect(faults).toEqual([]);
});

test('links between pages lead to files that are there', () => {
  const faults = pages.flatMap((page) =>
    [...withoutFences(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map((match) => match[1] ?? '')
      .filter((target) => !/^(https?:|mailto:)/.test(target))
      .filter((target) => !linkLeads(page, target))
      .map((target) => `${relative(root, page)} links to ${target}`),
  );
  expect(faults).toEqual([]);
});

function withoutFences(page: string): string {
  return readFileSync(page, 'utf8').replaceAll(/^ *(`{3,})[\s\S]*?^ *\1 *$/gm, '');
}

/** A path from the page's folder, with an anchor that is a heading of the page it leads to. */
function linkLeads(page: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : resolve(dirname(page), path);
  if (!existsSync(file)) return false;
  return anchor === undefined || (file.endsWith('.md') && anchorsOf(file).includes(anchor));
}

function anchorsOf(page: string): string[] {
  return [...withoutFences(page).matchAll(/^#+ (.*)$/gm)].map((match) =>
    (match[1] ?? '')
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}
