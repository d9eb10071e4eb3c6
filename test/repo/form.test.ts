import { Visitor } from 'vite';
import { expect, test } from 'vitest';
import { filesOf, lineAt, productSources, sourceOf, textOf } from './source-tree.ts';
import type { Source } from './source-tree.ts';

const maxFileLines = 400;
const maxFunctionLines = 60;
const folders = ['bin', 'src', 'console', 'scripts', 'bench', 'test', 'tools', 'training'];
const code = filesOf(folders, ['.ts', '.tsx', '.mjs', '.js']);

test(`no file is longer than ${maxFileLines} lines`, () => {
  const files = [...code, ...filesOf(folders, ['.py', '.css', '.sh'])];
  const faults = files
    .map((path) => [path, linesOf(path)] as const)
    .filter(([, lines]) => lines > maxFileLines);
  expect(faults).toEqual([]);
});

test(`no function of the product is longer than ${maxFunctionLines} lines, blank lines and comments apart`, () => {
  const faults = productSources().flatMap((source) =>
    functionsOf(source)
      .filter(({ lines }) => lines > maxFunctionLines)
      .map(({ line, lines }) => `${source.path}:${line} has ${lines} lines`),
  );
  expect(faults).toEqual([]);
});

test('no file imports itself by any way round, types included', () => {
  expect(cycles(filesOf(['src', 'bench', 'console'], ['.ts', '.tsx']))).toEqual([]);
});

test('no default exports, no barrels, no enums, no any', () => {
  const faults = filesOf(folders, ['.ts', '.tsx']).flatMap((path) => formFaults(sourceOf(path)));
  expect(faults).toEqual([]);
});

test('relative imports name the very file, with its extension', () => {
  const faults = filesOf(folders, ['.ts', '.tsx', '.mjs']).flatMap((path) =>
    sourceOf(path)
      .imports.filter(({ name }) => name.startsWith('.') && !/\.(ts|tsx|js|mjs|json|css)(\?\w+)?$/.test(name))
      .map(({ name, line }) => `${path}:${line} imports ${name}`),
  );
  expect(faults).toEqual([]);
});

function linesOf(path: string): number {
  return textOf(path).replace(/\n$/, '').split('\n').length;
}

function functionsOf({ text, program }: Source): { line: number; lines: number }[] {
  const found: { line: number; lines: number }[] = [];
  function add(node: { start: number; end: number }): void {
    const body = text.slice(node.start, node.end).replaceAll(/\/\*[\s\S]*?\*\//g, '');
    const lines = body.split('\n').filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
    found.push({ line: lineAt(text, node.start), lines });
  }
  new Visitor({ FunctionDeclaration: add, FunctionExpression: add, ArrowFunctionExpression: add }).visit(
    program,
  );
  return found;
}

/** Each cycle once, as the files on it in order; found by depth-first search over all imports. */
function cycles(paths: readonly string[]): string[][] {
  const known = new Set(paths);
  const done = new Set<string>();
  const found: string[][] = [];
  function visit(path: string, trail: readonly string[]): void {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path]);
    if (at >= 0 || done.has(path)) return;
    for (const { target } of sourceOf(path).imports) {
      if (target !== null && known.has(target)) visit(target, [...trail, path]);
    }
    done.add(path);
  }
  for (const path of paths) visit(path, []);
  return found;
}

function formFaults({ path, text, program }: Source): string[] {
  const faults: string[] = [];
  function fault(what: string): (node: { start: number }) => void {
    return (node) => void faults.push(`${path}:${lineAt(text, node.start)} ${what}`);
  }
  new Visitor({
    ExportAllDeclaration: fault('exports all of another file'),
    TSEnumDeclaration: fault('declares an enum'),
    TSAnyKeyword: fault('says any'),
    ExportDefaultDeclaration: path.endsWith('.config.ts') ? () => {} : fault('has a default export'),
  }).visit(program);
  const isBarrel =
    program.body.length > 0 &&
    program.body.every((node) => node.type === 'ExportNamedDeclaration' && node.source !== null);
  return isBarrel ? [...faults, `${path} only passes on other files' exports`] : faults;
}
