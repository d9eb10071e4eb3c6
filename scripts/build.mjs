// `npm run build`: the CLI by tsc and Rolldown, the console by Vite, into dist. Does nothing when dist is newer than its sources.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureReady, main, root, runNode, runTool, SetupError } from './bootstrap.mjs';

const dist = join(root, 'dist');
const shared = ['package.json', 'package-lock.json', 'tsconfig.json', 'scripts/build.mjs'];
const inputs = {
  cli: ['src', 'tsconfig.build.json', 'scripts/bundle.mjs', ...shared],
  console: ['console', 'src/domain', ...shared],
};
const stamps = { cli: '.built', console: 'console/.built' };

/**
 * Builds what is stale into a folder of its own and swaps it in by renaming: a failed build leaves the old one, two
 * builds at once do not mix, and files of deleted sources do not stay. Needs `ensureReady` before.
 */
export async function build({ force = false } = {}) {
  const hasConsole = existsSync(join(root, 'console', 'vite.config.ts'));
  const stale = {
    cli: force || isStale(inputs.cli, stamps.cli),
    console: hasConsole && (force || isStale(inputs.console, stamps.console)),
  };
  if (!stale.cli && !stale.console) return;
  const started = Date.now();
  process.stderr.write('Building ...\n');
  const next = join(root, `.cache/build-${process.pid}`);
  rmSync(next, { recursive: true, force: true });
  mkdirSync(next, { recursive: true });
  try {
    await buildCli(next);
    stamp(join(next, stamps.cli), started);
    if (stale.console) {
      await buildConsole(join(next, 'console'));
      stamp(join(next, stamps.console), started);
    } else if (hasConsole) {
      cpSync(join(dist, 'console'), join(next, 'console'), { recursive: true, preserveTimestamps: true });
    }
    swap(next);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
  process.stderr.write(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
}

async function buildCli(folder) {
  if ((await runTool('tsc', ['-p', 'tsconfig.build.json'])) !== 0)
    throw new SetupError('tsc found faults in the sources (above); the old build, if any, stays.');
  if ((await runNode(['scripts/bundle.mjs', folder])) !== 0)
    throw new SetupError('The sources could not be laid together (above); the old build, if any, stays.');
}

async function buildConsole(folder) {
  const args = ['build', 'console', '--outDir', folder, '--emptyOutDir', '--logLevel', 'error'];
  if ((await runTool('vite', args)) !== 0) {
    throw new SetupError('Vite could not build the console (above); the old build, if any, stays.');
  }
}

function swap(next) {
  const old = `${next}-old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(next, dist);
  rmSync(old, { recursive: true, force: true });
}

/** The time before the build began: what changed while it ran is stale. */
function stamp(file, time) {
  writeFileSync(file, '');
  utimesSync(file, time / 1000, time / 1000);
}

/** Folders count too: their time changes when a file is deleted. */
function isStale(paths, name) {
  const file = join(dist, name);
  if (!existsSync(file)) return true;
  const built = statSync(file).mtimeMs;
  return paths.some((path) => newest(join(root, path)) > built);
}

function newest(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.mtimeMs ?? 0;
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.name.endsWith('.test.ts'))
    .map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)
    .reduce((a, b) => Math.max(a, b), stat.mtimeMs);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async (args) => {
    await ensureReady();
    await build({ force: args.includes('--force') });
    return 0;
  });
}
