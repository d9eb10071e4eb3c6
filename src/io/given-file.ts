import { createHash } from 'node:crypto';
import { secretFileText } from '../domain/fill-args.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { mostGivenBytes } from '../domain/given-files.ts';
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
 * What a given file held when it was looked at: as it lies here, else as it already lies `there`, which an earlier start has
 * written. Throws GIVEN_FILE_CHANGED where neither is it.
 */
export async function givenText(
  world: World,
  { given, sha256 }: GivenFile,
  there: () => Promise<string | null>,
): Promise<string> {
  const { files } = world.home ?? world;
  for (const read of [() => files.read(given), there]) {
    const text = await read().catch(() => null);
    if (text !== null && digestOf(text) === sha256) return text;
  }
  throw new BerthError('GIVEN_FILE_CHANGED', { path: given, digest: sha256.slice(0, 8) });
}

/** The text of the file by which an engine is given a secret, or a file of the user. Throws what reading it throws. */
export async function engineFileText(
  world: World,
  spec: LaunchSpec,
  { name, there }: { name: string; there: () => Promise<string | null> },
): Promise<string> {
  const ref = spec.secrets[name];
  if (ref === undefined) throw new Error(`The spec names no secret ${name}.`);
  return isGiven(ref)
    ? givenText(world, ref, there)
    : secretFileText(spec, name, await resolveSecret(world, ref));
}

/** SHA-256 of a text, in hexadecimal. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
