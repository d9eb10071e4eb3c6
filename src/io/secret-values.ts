import { BerthError } from '../domain/errors/berth-error.ts';
import type { SecretRef } from '../domain/secret.ts';
import type { World } from './world.ts';

/** The secret itself, without the line end that files have. Throws SECRET_MISSING. Never log or print what comes back. */
export async function resolveSecret(world: World, ref: SecretRef): Promise<string> {
  const { env, files } = world.home ?? world;
  const value = 'env' in ref ? env[ref.env] : (await files.read(ref.file))?.replace(/\r?\n$/, '');
  if (!value)
    throw new BerthError('SECRET_MISSING', {
      where: 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`,
    });
  return value;
}
