import { withoutPlaces } from '../domain/given-files.ts';
import { Mark } from '../domain/instance.ts';

/**
 * A mark as it is written on an object of a cluster: nothing of the machine that it was applied from, and in one order, so that
 * `apply` and files that are applied by others come to the same text.
 */
export function markText({ reached: _reached, ...mark }: Mark): string {
  return JSON.stringify(Mark.parse({ ...mark, logFile: '', spec: withoutPlaces(mark.spec) }));
}
