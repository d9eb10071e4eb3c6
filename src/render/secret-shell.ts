import { quote } from '../io/ssh/script.ts';
import { isGiven, isOfCluster } from '../domain/secret.ts';
import type { EngineSecret } from '../domain/secret.ts';

/**
 * A secret as a shell writes it within double quotes. A variable that the shell lacks ends the command in place of an empty
 * secret; one of a `.env` is read from there by the rules that berth reads it by.
 */
export function shellText(ref: EngineSecret): string {
  // Given files are no secrets, and are written themselves.
  if (isOfCluster(ref) || isGiven(ref)) return '';
  if ('file' in ref) return `$(cat ${quote(ref.file)})`;
  if (ref.dotenv === undefined) return `\${${ref.env}:?}`;
  return `$(node --env-file=${quote(ref.dotenv)} -e ${quote(`process.stdout.write(process.env.${ref.env})`)})`;
}
