import { hasFlag } from '../command-line/flags.ts';
import { secretFlagsAt, standsForNothing } from '../command-line/redact.ts';
import type { DefinedServer } from './observation.ts';

/** A key that everybody writes where there is none keeps nobody out. */
export function asksForNone({ keyed, command }: Pick<DefinedServer, 'keyed' | 'command'>): boolean {
  if (keyed !== true) return keyed === false;
  const keys = command.flatMap((_word, at) =>
    secretFlagsAt(command, at).filter(({ flag }) => /api[-_]?keys?$/i.test(flag)),
  );
  return (
    keys.length > 0 &&
    keys.every(({ value }) => standsForNothing(value)) &&
    !hasFlag(command, '--api-key-file')
  );
}
