import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { secretFileText } from '../domain/fill-args.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { givenIn, mostGivenBytes } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isGiven } from '../domain/secret.ts';
import type { GivenFile } from '../domain/secret.ts';
import { resolveSecret } from './secret-values.ts';
import type { World } from './world.ts';

/** A file of this machine as an engine is to be given it. Throws FILE_MISSING or FILE_UNFIT. */
export async function lookAtFile(world: World, path: string): Promise<GivenFile> {
  const { files } = world.home ?? world;
  const found = await files.stat(path);
  if (found === null) throw new BerthError('FILE_MISSING', { path, what: 'file' });
  if (!found.isFile) throw new BerthError('FILE_UNFIT', { path, reason: 'is no file' });
  if (found.size > mostGivenBytes)
    throw new BerthError('FILE_UNFIT', {
      path,
      reason: `has ${found.size} bytes, and ${mostGivenBytes} are the most`,
    });
  const text = (await files.read(path)) ?? '';
  // What is no UTF-8 is read as signs of another length.
  if (text.includes('\0') || Buffer.byteLength(text) !== found.size)
    throw new BerthError('FILE_UNFIT', { path, reason: 'is no text in UTF-8' });
  return { given: path, sha256: digestOf(text), bytes: found.size };
}

/**
 * What a given file held when it was looked at: as it lies here, else as an earlier start has left it in one of `elsewhere`.
 * Throws GIVEN_FILE_CHANGED where it is nowhere any more.
 */
export async function givenText(
  world: World,
  { given, sha256 }: GivenFile,
  ...elsewhere: (() => Promise<string | null>)[]
): Promise<string> {
  const { files } = world.home ?? world;
  for (const read of [() => files.read(given), ...elsewhere]) {
    const text = await read().catch(() => null);
    if (text !== null && digestOf(text) === sha256) return text;
  }
  throw new BerthError('GIVEN_FILE_CHANGED', { path: given, digest: sha256.slice(0, 8) });
}

/** An engine's place, and where its fleet keeps what is its own on that host. */
export interface GivenPlace {
  readonly mark: Pick<Mark, 'deployment' | 'replica'>;
  readonly stateDir: string;
}

/** Holds what the engines of a place were given, each by its digest, and outlives the unit or container that has a copy. */
export function givenFolder({ mark: { deployment, replica }, stateDir }: GivenPlace): string {
  return join(stateDir, 'given', `${deployment}-${replica}`);
}

/** A given file as an earlier start of this place has kept it; null where none has. */
export function keptText(world: World, place: GivenPlace, { sha256 }: GivenFile): Promise<string | null> {
  return world.files.read(join(givenFolder(place), sha256));
}

/**
 * The text of the file by which an engine is given a secret, or a file of the user, which is kept for going back to it. `there`: as it
 * already lies where the engine reads it. Throws what reading it throws.
 */
export async function engineFileText(
  world: World,
  place: GivenPlace & { readonly mark: Pick<Mark, 'spec'> },
  { name, there }: { name: string; there: () => Promise<string | null> },
): Promise<string> {
  const { spec } = place.mark;
  const ref = spec.secrets[name];
  if (ref === undefined) throw new Error(`The spec names no secret ${name}.`);
  if (!isGiven(ref)) return secretFileText(spec, name, await resolveSecret(world, ref));
  const text = await givenText(world, ref, there, () => keptText(world, place, ref));
  const path = join(givenFolder(place), ref.sha256);
  if ((await world.files.stat(path))?.size !== ref.bytes) await world.files.write(path, text, 0o600);
  return text;
}

/** Takes away what none of these specs of a place is given any more. */
export async function dropGiven(
  world: World,
  place: GivenPlace,
  specs: readonly Pick<LaunchSpec, 'secrets'>[],
): Promise<void> {
  const wanted = new Set(specs.flatMap((spec) => Object.values(givenIn(spec)).map(({ sha256 }) => sha256)));
  const folder = givenFolder(place);
  for (const name of await world.files.list(folder))
    if (!wanted.has(name)) await world.files.remove(join(folder, name));
}

/** SHA-256 of a text, in hexadecimal. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
