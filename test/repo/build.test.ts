import { expect, test } from 'vitest';
import { productSources, textOf } from './source-tree.ts';

/** Asks where a package lies, which is the same question from any file of berth. */
const asksForPackages = ['src/io/http-server/llhttp.ts', 'src/embedded/load-library.ts'];

test('what finds files by its own place lies one folder down, as the files of the build do', () => {
  const astray = productSources()
    .filter(({ path, text }) => text.includes('import.meta') && !asksForPackages.includes(path))
    .map(({ path }) => path)
    .filter((path) => path.split('/').length !== 3);
  expect(astray).toEqual([]);
});

test('every package that the sources import is installed with berth or laid into its build, never both', () => {
  const { dependencies, devDependencies } = JSON.parse(textOf('package.json')) as Record<
    'dependencies' | 'devDependencies',
    Record<string, string>
  >;
  const imported = new Set(
    productSources().flatMap(({ imports }) =>
      imports.flatMap(({ name, target }) =>
        target !== null || /^[./]|^node:/.test(name)
          ? []
          : name.startsWith('@')
            ? name.split('/').slice(0, 2).join('/')
            : (name.split('/')[0] ?? ''),
      ),
    ),
  );
  const known = new Set([...Object.keys(dependencies), ...Object.keys(devDependencies)]);
  expect([...imported].filter((name) => !known.has(name))).toEqual([]);
  expect(Object.keys(dependencies).filter((name) => name in devDependencies)).toEqual([]);
  const asking = asksForPackages.map(textOf).join('\n');
  function asked(name: string): boolean {
    return asking.includes(`('${name}/`);
  }
  expect(Object.keys(dependencies).filter((name) => !imported.has(name) && !asked(name))).toEqual([]);
});
