import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** One fenced block of a page. `info` is the whole info string: "sh test", `yaml fleet file=berth.yaml`. */
export interface Fence {
  readonly page: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly info: string;
  readonly text: string;
}

/** README and its like at the root, everything below docs, and what stands beside the examples, as absolute paths. */
export function pagePaths(): string[] {
  const top = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].map((name) => join(root, name));
  const below = ['docs', 'examples']
    .map((name) => join(root, name))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(folder, name)),
    );
  return [...top.filter((path) => existsSync(path)), ...below.toSorted()];
}

/** Every fenced block of a page in order. Fences may be indented (lists); an unclosed one is a fault. */
export function fencesOf(page: string): Fence[] {
  const fences: Fence[] = [];
  const lines = readFileSync(page, 'utf8').split('\n');
  for (let at = 0; at < lines.length; at += 1) {
    const open = /^( *)(`{3,})(.*)$/.exec(lines[at] ?? '');
    if (!open) continue;
    const [, indent = '', ticks = '', info = ''] = open;
    const end = lines.findIndex((line, i) => i > at && line.trim() === ticks);
    if (end < 0) throw new Error(`${page}:${at + 1} opens a fence that nothing closes.`);
    const text = lines.slice(at + 1, end).map((line) => line.replace(indent, ''));
    fences.push({
      page,
      line: at + 1,
      language: info.trim().split(/\s+/)[0] ?? '',
      info: info.trim(),
      text: text.join('\n'),
    });
    at = end;
  }
  return fences;
}
