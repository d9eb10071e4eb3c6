import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join } from 'node:path';
import { secretFileText } from '../domain/fill-args.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { givenIn, givenPrefix, mostGivenBytes } from '../domain/given-files.ts';
import type { Mark } from '../domain/instance.ts';
import type { LaunchSpec } from '../domain/launch-spec.ts';
import { isGiven } from '../domain/secret.ts';
import type { GivenFile } from '../domain/secret.ts';
import { resolveSecret } from './secret-values.ts';
import type { World } from './world.ts';

/** A file of this machine as an engine is to be given it. Throws GIVEN_FILE_MISSING or FILE_UNFIT. */
export async function lookAtFile(world: World, path: string): Promise<GivenFile> {
  const { files } = world.home ?? world;
  const found = await files.stat(path);
  if (found === null) throw new BerthError('GIVEN_FILE_MISSING', { path });
  if (!found.isFile) throw new BerthError('FILE_UNFIT', { path, reason: 'is no file' });
  if (found.size > mostGivenBytes)
    throw new BerthError('FILE_UNFIT', {
      path,
      reason: `has ${found.size} bytes, and ${mostGivenBytes} are the most`,
    });
  const text = (await files.read(path)) ?? '';
  // What is no UTF-8 is read as U+FFFD, which may have just as many bytes.
  if (/[\0\uFFFD]/.test(text) || Buffer.byteLength(text) !== found.size)
    throw new BerthError('FILE_UNFIT', { path, reason: 'is no text in UTF-8, or has the sign U+FFFD' });
  const at = text.split('\n').findIndex((line) => secretLine.test(line));
  if (at >= 0)
    throw new BerthError('FILE_UNFIT', {
      path,
      reason: `has a secret in line ${at + 1}, and what an engine is given so can be read by others`,
    });
  return { given: path, sha256: digestOf(text), bytes: found.size };
}

/** A setting of a list of models that holds a secret itself, not the name of a file that does. */
const secretLine =
  /^\s*-{0,2}(api-key|hf-token|LLAMA_API_KEY|LLAMA_ARG_HF_TOKEN|HF_TOKEN|HUGGING_FACE_HUB_TOKEN)\s*=\s*\S/i;

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
  const here = isAbsolute(given) ? [() => files.read(given)] : [];
  for (const read of [...here, ...elsewhere]) {
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
  return join(givenFolders(stateDir), `${deployment}-${replica}`);
}

export function givenFolders(stateDir: string): string {
  return join(stateDir, 'given');
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

/**
 * Keeps in a place what these specs are given, also what others have kept `elsewhere`, which may go with what they started. Gives what is
 * kept, by digests.
 */
export async function keepGiven(
  world: World,
  place: GivenPlace,
  {
    specs,
    elsewhere,
  }: {
    specs: readonly Pick<LaunchSpec, 'secrets'>[];
    elsewhere: (digest: string) => Promise<string | null> | undefined;
  },
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const file of specs.flatMap((spec) => Object.values(givenIn(spec)))) {
    const own = await keptText(world, place, file);
    const text = own ?? (await elsewhere(file.sha256)) ?? null;
    if (text === null || digestOf(text) !== file.sha256) continue;
    if (own === null) await world.files.write(join(givenFolder(place), file.sha256), text, 0o600);
    texts[file.sha256] = text;
  }
  return texts;
}

/** Takes away what none of these specs of a place is given any more, also as its processes and containers opened it. */
export async function dropGiven(
  world: World,
  place: GivenPlace,
  specs: readonly Pick<LaunchSpec, 'secrets'>[],
): Promise<void> {
  const files = specs.flatMap((spec) => Object.entries(givenIn(spec)));
  const texts = new Set(files.map(([, { sha256 }]) => sha256));
  const folder = givenFolder(place);
  for (const name of await world.files.list(folder))
    if (!texts.has(name)) await world.files.remove(join(folder, name));
  const names = new Set(files.map(([name]) => secretFile(place, name)));
  const copies = secretFile(place, givenPrefix);
  for (const name of await world.files.list(dirname(copies))) {
    const path = join(dirname(copies), name);
    const isCopy = path.startsWith(copies) && /^[0-9a-f]{8}-/.test(path.slice(copies.length));
    if (isCopy && !names.has(path)) await world.files.remove(path);
  }
}

/** Where processes and containers of a place have what they are given by this name, a secret or a file of the user. */
export function secretFile({ mark: { deployment, replica }, stateDir }: GivenPlace, name: string): string {
  return join(stateDir, 'secrets', `${deployment}-${replica}-${name}`);
}

/** SHA-256 of a text, in hexadecimal. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
