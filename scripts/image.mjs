// `npm run image`: the folder that the Containerfile is built from, .cache/image: the build and the packages that it needs to run.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureReady, main, root } from './bootstrap.mjs';
import { build } from './build.mjs';

export const imageParts = ['package.json', 'LICENSE', 'bin', 'schema', 'dist'];
/** Of whoever runs it, and empty. */
export const imageHome = 'home';

/** Packages that berth needs to run, and those that they need, by their folders below the root. */
export function runtimePackages() {
  const found = new Set();
  const waiting = [root];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const place = resolvePackage(folder, name);
      if (place === null || found.has(place)) continue;
      found.add(place);
      waiting.push(place);
    }
  }
  return [...found].map((folder) => folder.slice(root.length + 1)).toSorted((a, b) => (a < b ? -1 : 1));
}

/** As Node looks for it: from the folder upwards. */
function resolvePackage(from, name) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
  }
  return null;
}

/** Writes the folder anew. Needs `ensureReady` before. */
export async function makeImageTree(folder) {
  await build();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, imageHome), { recursive: true });
  for (const name of [...imageParts, ...runtimePackages()])
    cpSync(join(root, name), join(folder, name), { recursive: true, dereference: true });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(async (args) => {
    await ensureReady();
    const folder = args[0] ?? join(root, '.cache/image');
    await makeImageTree(folder);
    process.stdout.write(`${folder}\n`);
    return 0;
  });
}
