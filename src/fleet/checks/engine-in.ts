import { engines } from '../../engines/registry.ts';
import { scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** The engine that a deployment of the file names; undefined where it names none that there is. Pure. */
export function engineIn(deployment: Located): (typeof engines)[number] | undefined {
  const kind = scalarAt(deployment, ['engine', 'kind']);
  return engines.find((one) => one.kind === kind);
}
