import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths } from './paths.ts';
import type { FleetIdentity } from './paths.ts';
import type { SourceFile } from './sources.ts';

const Applied = z.strictObject({
  version: z.literal(1),
  at: z.iso.datetime(),
  /** The files that were asked for, in order. */
  named: z.array(z.string()),
  /** These and what they import. */
  files: z.array(z.strictObject({ path: z.string(), text: z.string() })),
});

/**
 * The files of a fleet as they were when they were last applied: what runs is looked at and stopped by them where they cannot be read
 * any more. Nothing is ever started by them.
 */
export interface AppliedFiles {
  readonly at: string;
  readonly named: readonly string[];
  readonly texts: ReadonlyMap<string, string>;
  /** Where they are kept, for a plan that is made by them. */
  readonly record: SourceFile;
}

/**
 * Keeps them, for whoever is about to have engines as they say. What has changed in this very moment is not kept, and where they
 * cannot be kept, that is told and keeps nothing from being done.
 */
export async function keepApplied(
  world: World,
  fleet: FleetIdentity,
  files: readonly SourceFile[],
): Promise<void> {
  if (files.length === 0 || goesByApplied(world, fleet, files)) return;
  const home = world.home ?? world;
  try {
    await writeApplied(home, fleet, files);
  } catch (error) {
    home.log.warn('The applied files could not be kept.', {
      path: fleetPaths(home, fleet).applied,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

async function writeApplied(home: World, fleet: FleetIdentity, files: readonly SourceFile[]): Promise<void> {
  const texts: { path: string; text: string }[] = [];
  for (const { path, sha256 } of files) {
    const text = await home.files.read(path);
    if (text === null || hashOf(text) !== sha256) return;
    texts.push({ path, text });
  }
  const paths = fleetPaths(home, fleet);
  const named = files.filter(({ imported }) => !imported).map(({ path }) => path);
  const at = home.clock.wall().toISOString();
  const record: z.infer<typeof Applied> = { version: 1, at, named, files: texts };
  await home.files.makeDir(paths.state);
  await home.files.write(paths.applied, `${JSON.stringify(record, null, 2)}\n`, 0o600);
}

/** Whether these are what is kept, and not the files themselves. */
export function goesByApplied(world: World, fleet: FleetIdentity, files: readonly SourceFile[]): boolean {
  const { applied } = fleetPaths(world, fleet);
  return files.some(({ path }) => path === applied);
}

/** What was last applied of just these files; null where nothing was. A fleet of other files that share one of them is another one. */
export async function findApplied(world: World, named: readonly string[]): Promise<AppliedFiles | null> {
  const { state } = world.places;
  const found: AppliedFiles[] = [];
  for (const name of await world.files.list(state)) {
    const path = join(state, name, 'applied.json');
    const text = await world.files.read(path);
    const told = text === null ? null : Applied.safeParse(parseJson(text)).data;
    if (text === null || !told || JSON.stringify(told.named) !== JSON.stringify(named)) continue;
    const texts = new Map(told.files.map((one) => [one.path, one.text]));
    found.push({ at: told.at, named: told.named, texts, record: { path, sha256: hashOf(text) } });
  }
  return found.toSorted((a, b) => (a.at < b.at ? 1 : -1))[0] ?? null;
}

/** The world as if they lay there as they were. */
export function asApplied(world: World, { texts }: AppliedFiles): World {
  const { files } = world;
  return {
    ...world,
    files: { ...files, read: async (path) => texts.get(path) ?? (await files.read(path)) },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
