// The part of `npm run build` that lays the sources together: a few files that load fast in place of a thousand. What
// package.json names under `dependencies` is installed with berth and stays outside; every other package that the sources
// import is laid in, and its licence goes with it. Runs on the pinned Node: `bundle.mjs FOLDER`.
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { rolldown } from 'rolldown';

const root = dirname(import.meta.dirname);
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** The embedded engine's library is looked for at run time. */
const outside = [...Object.keys(dependencies), 'node-llama-cpp'];
export const licencesFile = 'THIRD-PARTY-LICENSES.txt';

/**
 * What is loaded together lies together. Each group takes what its files need, other than by `import()`, unless a group
 * above has it; so a group needs only what lies above it, and no two files need each other.
 */
const together = [
  { name: 'front', files: ['src/cli/commands.ts', 'src/cli/text/front-page.ts'] },
  { name: 'zod', files: ['node_modules/zod/'] },
  { name: 'yaml', files: ['node_modules/yaml/'] },
  { name: 'command', files: ['src/cli/program.ts', 'src/io/local-world.ts', 'src/io/log.ts'] },
  {
    name: 'fleet',
    files: ['src/cli/commands/validate.ts', 'src/fleet/file/load.ts', 'src/fleet/plan/at-rest.ts'],
  },
  { name: 'plan', files: ['src/cli/commands/plan.ts', 'src/targets/process/marks.ts'] },
];

const programs = readdirSync(join(root, 'src/programs'))
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => [`programs/${basename(name, '.ts')}`, `src/programs/${name}`]);

/**
 * Node's own modules, got without the namespace that `import` makes of them: for that every export is read, and those of
 * node:fs alone load all of its streams. Rolldown writes what a file imports as its first lines, one each. A source may
 * have a `process` of its own.
 */
const builtinsAsked = {
  name: 'builtins-asked',
  renderChunk(code) {
    const lines = code.split('\n');
    const end = lines.findIndex((line) => !line.startsWith('import '));
    const head = lines.slice(0, end).map(askedFor);
    if (/^import .*"node:/m.test([...head, ...lines.slice(end)].join('\n')))
      throw new Error('An import of node: is written in a way that is not known here.');
    return { code: [...head, ...lines.slice(end)].join('\n'), map: null };
  },
};

function askedFor(line) {
  const [, whole, names, all, module] =
    /^import ([\w$]+)?,? ?(?:\{ (.+) \})?(?:\* as ([\w$]+))? ?from "(node:[\w/]+)";$/.exec(line) ?? [];
  if (module === undefined) return line;
  const parts = [whole, all, names && `{ ${names.replaceAll(' as ', ': ')} }`].filter(Boolean);
  return parts.map((part) => `const ${part} = globalThis.process.getBuiltinModule("${module}");`).join(' ');
}

/** Programs that stay have parts of their own: they would have to load, and keep, what the command line needs. */
const bundles = [
  { input: { 'cli/main': 'src/cli/main.ts' }, parts: 'parts', groups: together, plugins: [builtinsAsked] },
  { input: Object.fromEntries(programs), parts: 'program-parts', groups: [], plugins: [] },
];

async function bundle(folder, { input, parts, groups, plugins }) {
  const made = await rolldown({
    cwd: root,
    input,
    platform: 'node',
    plugins,
    external: (id) => outside.some((name) => id === name || id.startsWith(`${name}/`)),
    transform: { target: 'node24' },
    // What one command needs at once another may load later.
    checks: { ineffectiveDynamicImport: false },
    onLog: (_level, { message }) => {
      throw new Error(message);
    },
  });
  const { output } = await made.write({
    dir: folder,
    entryFileNames: '[name].js',
    // One folder down, as the sources are that look for files by their own place.
    chunkFileNames: `${parts}/[name].js`,
    comments: { legal: true, annotation: false, jsdoc: false },
    minifyInternalExports: false,
    codeSplitting: {
      groups: groups.map(({ name, files }, i) => ({
        name,
        test: (id) => files.some((file) => id.startsWith(join(root, file))),
        priority: groups.length - i,
      })),
    },
  });
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}

/** Name, version and licence of each package that is laid in. Throws where a package has no licence to go with it. */
function licences(modules) {
  const folders = new Set(modules.flatMap((id) => packageOf(id) ?? []));
  const texts = [...folders]
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((one) => /^licen[cs]e/i.test(one));
      if (!file) throw new Error(`${name} has no licence file that could go into the build with it.`);
      return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
    });
  const head = 'The build of berth holds code of these packages, under their licences.\n';
  return [head, ...texts].join(`\n${'-'.repeat(80)}\n\n`);
}

function packageOf(id) {
  // The bundler's own helpers.
  if (id.startsWith('\0')) return join(root, 'node_modules/rolldown');
  const at = id.lastIndexOf('node_modules/');
  if (at < 0) return null;
  const depth = id.slice(at).split('/')[1].startsWith('@') ? 3 : 2;
  const folder = id.slice(0, at) + id.slice(at).split('/').slice(0, depth).join('/');
  if (!existsSync(join(folder, 'package.json'))) throw new Error(`${id} is of no package.`);
  return folder;
}

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const modules = [];
for (const one of bundles) modules.push(...(await bundle(folder, one)));
writeFileSync(join(folder, licencesFile), licences(modules));
