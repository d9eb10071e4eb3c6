import { quote } from '../io/ssh/script.ts';
import { isOfCluster } from '../domain/secret.ts';
import type { AnySecret } from '../domain/secret.ts';

/**
 * A secret as a shell writes it within double quotes. A variable that the shell lacks ends the command in place of an empty
 * secret; one of a `.env` is read from there by the rules that berth reads it by.
 */
export function shellText(ref: AnySecret): string {
  if (isOfCluster(ref)) return '';
  if ('file' in ref) return `$(cat ${quote(ref.file)})`;
  if (ref.dotenv === undefined) return `\${${ref.env}:?}`;
  return `$(node --env-file=${quote(ref.dotenv)} -e ${quote(`process.stdout.write(process.env.${ref.env})`)})`;
}
