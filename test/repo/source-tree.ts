import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync, Visitor } from 'vite';

export const root = resolve(import.meta.dirname, '../..');

/** One file of the project, parsed. Import names are as written; `target` is the file in this project, or null. */
export interface Source {
  readonly path: string;
  readonly text: string;
  readonly program: ReturnType<typeof parseSync>['program'];
  readonly imports: readonly {
    readonly name: string;
    readonly target: string | null;
    readonly line: number;
  }[];
}

const cache = new Map<string, Source>();

const leftOut = ['node_modules', 'dist', 'recorded'];

/** Paths below the folders, relative to the root, by ending; what is installed, built or recorded is left out. */
export function filesOf(folders: readonly string[], endings: readonly string[] = ['.ts']): string[] {
  return folders
    .flatMap((folder) => walk(folder))
    .filter((path) => endings.some((ending) => path.endsWith(ending)))
    .toSorted();
}

function walk(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return leftOut.includes(entry.name) ? [] : walk(path);
    return entry.isFile() ? [path] : [];
  });
}

/** Product files: what is under src but the tests. */
export function productSources(): Source[] {
  return filesOf(['src'])
    .filter((path) => !path.endsWith('.test.ts'))
    .map(sourceOf);
}

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function sourceOf(path: string): Source {
  const known = cache.get(path);
  if (known) return known;
  const text = textOf(path);
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const source = { path, text, program, imports: importsOf(path, text, program) };
  cache.set(path, source);
  return source;
}

/** Static, type-only and dynamic imports, `import('x')` types and re-exports: every way a file can name another. */
function importsOf(path: string, text: string, program: Source['program']): Source['imports'] {
  const names: { name: string; start: number }[] = [];
  function add(node: { value: unknown; start: number } | null): void {
    if (typeof node?.value === 'string') names.push({ name: node.value, start: node.start });
  }
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => node.source.type === 'Literal' && add(node.source),
    TSImportType: (node) => add(node.source),
  }).visit(program);
  return names.map(({ name, start }) => ({
    name,
    target: name.startsWith('.') ? relative(root, resolve(root, dirname(path), name)) : null,
    line: lineAt(text, start),
  }));
}

export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
