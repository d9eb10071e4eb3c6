import { parseEnv } from 'node:util';
import { BerthError } from '../domain/errors/berth-error.ts';
import { isOfCluster, secretTitle } from '../domain/secret.ts';
import type { AnySecret } from '../domain/secret.ts';
import type { World } from './world.ts';

/** The secret itself, without the line end that files have. Throws SECRET_MISSING or SECRET_OF_CLUSTER. Never log or print what comes back. */
export async function resolveSecret(world: World, ref: AnySecret): Promise<string> {
  if (isOfCluster(ref)) throw new BerthError('SECRET_OF_CLUSTER', { title: secretTitle(ref) });
  const home = world.home ?? world;
  const value =
    'env' in ref ? await variable(home, ref) : (await home.files.read(ref.file))?.replace(/\r?\n$/, '');
  if (!value && 'env' in ref && ref.secret)
    throw new BerthError('SECRET_OF_CLUSTER', { title: secretTitle(ref) });
  if (!value)
    throw new BerthError('SECRET_MISSING', {
      where: 'env' in ref ? `environment variable ${ref.env}` : `file ${ref.file}`,
    });
  return value;
}

async function variable(
  { env, files }: World,
  ref: { env: string; dotenv?: string | undefined },
): Promise<string | undefined> {
  if (env[ref.env] || ref.dotenv === undefined) return env[ref.env];
  return dotEnvValues((await files.read(ref.dotenv)) ?? '')[ref.env];
}

/** What a `.env` file sets: lines NAME=VALUE, with quotes, comments and "export" as shells have them; nothing is expanded. */
export function dotEnvValues(text: string): Readonly<Record<string, string | undefined>> {
  return parseEnv(text);
}
