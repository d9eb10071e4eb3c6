import { Visitor } from 'vite';
import { expect, test } from 'vitest';
import { lineAt, productSources } from './source-tree.ts';

/** Modules that reach out of the program, and the folders that may name them. */
const outwardModules: readonly (readonly [RegExp, RegExp])[] = [
  [
    /^node:(child_process|fs|fs\/promises|net|http|https|http2|tls|dns|dns\/promises|sqlite|os|worker_threads|cluster|dgram|repl|inspector)$/,
    /^src\/io\//,
  ],
  [/^(undici|@redis\/client|@kubernetes\/client-node|aws4fetch)$/, /^src\/(io|model-sources|targets)\//],
  [/^node-llama-cpp$/, /^src\/embedded\//],
];

/** Globals that reach out, as `object.property` or a bare name, and the files that may use them. */
const outwardGlobals: readonly (readonly [RegExp, RegExp])[] = [
  [/^process\.(env|kill|chdir|setuid|setgid)$/, /^src\/io\//],
  // Only who was started as a program may end it; a command gives its exit code back.
  [/^process\.(exit|abort|reallyExit)$/, /^src\/(cli\/program\.ts|programs\/)/],
  [/^process\.(binding|dlopen)$/, /^src\/io\//],
  [/^console\./, /^never$/],
  // In the bridge `fetch` is a parameter: the control API's own application, in memory.
  [/^(fetch|WebSocket|EventSource|eval)$/, /^src\/(io\/|server\/bridge\.ts$)/],
];

test('only io reaches the outside by a module', () => {
  const faults = productSources().flatMap(({ path, imports }) =>
    imports
      .filter(({ name }) =>
        outwardModules.some(([module, allowed]) => module.test(name) && !allowed.test(path)),
      )
      .map(({ name, line }) => `${path}:${line} imports ${name}`),
  );
  expect(faults).toEqual([]);
});

test('modules of Node are named with the node: prefix, so that the table above sees them', () => {
  const bare =
    /^(assert|buffer|child_process|crypto|dns|events|fs|http|https|net|os|path|process|stream|tls|url|util|worker_threads|zlib)(\/|$)/;
  const faults = productSources().flatMap(({ path, imports }) =>
    imports.filter(({ name }) => bare.test(name)).map(({ name, line }) => `${path}:${line} imports ${name}`),
  );
  expect(faults).toEqual([]);
});

test('only io reaches the outside by a global, and nothing writes to the console', () => {
  const faults: string[] = [];
  for (const { path, text, program } of productSources()) {
    function check(name: string, start: number): void {
      for (const [wanted, allowed] of outwardGlobals) {
        if (wanted.test(name) && !allowed.test(path))
          faults.push(`${path}:${lineAt(text, start)} uses ${name}`);
      }
    }
    new Visitor({
      MemberExpression: (node) => {
        if (node.object.type !== 'Identifier') return;
        const { property } = node;
        const name =
          property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : '?';
        check(`${node.object.name}.${name}`, node.start);
      },
      CallExpression: (node) => node.callee.type === 'Identifier' && check(node.callee.name, node.start),
      NewExpression: (node) => node.callee.type === 'Identifier' && check(node.callee.name, node.start),
      // `const { env } = process` would get around the names above.
      VariableDeclarator: (node) => {
        if (node.init?.type !== 'Identifier' || node.init.name !== 'process') return;
        faults.push(`${path}:${lineAt(text, node.start)} gives process another name`);
      },
    }).visit(program);
  }
  expect(faults).toEqual([]);
});
