import { expect, test } from 'vitest';
import { productSources } from './source-tree.ts';

/**
 * The house: imports run down only, `import type` included. First match wins.
 * A room is a file's folder below src (or the file itself where a folder holds siblings that must not meet).
 */
const floors: readonly (readonly [RegExp, number, 'folder' | 'file'])[] = [
  [/^src\/(cli|programs)\//, 6, 'folder'],
  [/^src\/server\//, 5, 'folder'],
  [/^src\/fleet-schema\.ts$/, 3.5, 'file'],
  [/^src\/lean-fleet-schema\.ts$/, 3.4, 'file'],
  [/^src\/.*\/registry\.ts$/, 3, 'file'],
  // Prompts are what endpoints are asked with.
  [/^src\/bench\/contract\.ts$/, 1.4, 'file'],
  [/^src\/.*\/contract\.ts$/, 1.5, 'file'],
  // How answers are read, which every endpoint does.
  [/^src\/bench\/(answer|event-stream|event-template)(\.test)?\.ts$/, 1.7, 'folder'],
  // What the datasets, which do not know each other, make prompts with; the forms of traces, which profiles name too.
  [/^src\/bench\/(prompts|traces)\//, 1.7, 'folder'],
  // What all targets of a cluster make and ask there.
  [/^src\/kube\//, 1.7, 'folder'],
  // What a daemon's containers and those of units are made of.
  [/^src\/container\//, 1.7, 'folder'],
  [
    /^src\/audit\/rules\/(pod-containers|shared-ports|pods-not-up|pod-not-ready|probe-fault)\.ts$/,
    1.7,
    'file',
  ],
  [/^src\/render\/(secret-shell|shared-objects)\.ts$/, 2.2, 'file'],
  [/^src\/render\/replica-marks\.ts$/, 2.3, 'file'],
  // What each target of a cluster is written as, which all formats for clusters share.
  [/^src\/render\/cluster-way\.ts$/, 2.34, 'file'],
  [/^src\/render\/(kubernetes|kserve)-way\.ts$/, 2.35, 'file'],
  // A format writes what a target would make, with its mark, and two of them write the same objects.
  [
    /^src\/render\/(cluster-objects|gateway-objects|benchmark-objects|benchmark-timer|namespace-objects|kustomize-tree)\.ts$/,
    2.4,
    'file',
  ],
  [/^src\/render\/yaml\.ts$/, 1.7, 'folder'],
  [/^src\/render\/(unit-)?containers\.ts$/, 2.45, 'file'],
  [/^src\/render\/helm-template\.ts$/, 2.46, 'file'],
  [/^src\/render\/helm-values\.ts$/, 2.47, 'file'],
  [/^src\/render\//, 2.5, 'file'],
  // A check asks through what targets and hardware know.
  [/^src\/doctor\/checks\//, 2.5, 'file'],
  [
    /^src\/(engines|targets|model-sources|bench\/profiles|bench\/datasets|bench\/endpoints|bench\/readers|gateway\/policies|audit\/rules|publish(?=\/[^/]+\/))\//,
    2,
    'file',
  ],
  [/^src\/(hardware|model-files)\//, 2, 'folder'],
  [/^src\/(fleet|gateway|bench|audit|capacity|publish|embedded|scan|models|doctor)\//, 4, 'folder'],
  [/^src\/(io|stats)\//, 1, 'folder'],
  [/^src\/domain\//, 0, 'folder'],
];

function place(path: string): { floor: number; room: string } {
  for (const [pattern, floor, kind] of floors) {
    if (!pattern.test(path)) continue;
    // Below an adapter family, files and folders named alike are one adapter: x.ts, x.test.ts, x/flags.ts.
    const family = pattern.exec(path)?.[0] ?? '';
    const adapter = path.slice(family.length).split(/[./]/)[0] ?? '';
    const room = kind === 'folder' ? path.split('/').slice(0, 2).join('/') : family + adapter;
    return { floor, room };
  }
  throw new Error(
    `${path} has no floor: put it into a folder that the table knows, or add a row with the reason.`,
  );
}

test('imports run down the floors, and rooms on one floor do not know each other', () => {
  const faults: string[] = [];
  for (const { path, imports } of productSources()) {
    const own = place(path);
    for (const { target, line } of imports) {
      if (target === null) continue;
      const other = place(target);
      if (other.room !== own.room && other.floor >= own.floor) {
        faults.push(`${path}:${line} (floor ${own.floor}) imports ${target} (floor ${other.floor})`);
      }
    }
  }
  expect(faults).toEqual([]);
});

test('programs are started by path, never imported', () => {
  const faults = productSources().flatMap(({ path, imports }) =>
    imports.filter(({ target }) => target?.startsWith('src/programs/') && !path.startsWith('src/programs/')),
  );
  expect(faults).toEqual([]);
});

test('the domain stands on zod alone', () => {
  const faults = productSources().flatMap(({ path, imports }) =>
    imports
      .filter(({ name, target }) => path.startsWith('src/domain/') && target === null && name !== 'zod')
      .map(({ name, line }) => `${path}:${line} imports ${name}`),
  );
  expect(faults).toEqual([]);
});
