import { BerthError } from '../../domain/errors/berth-error.ts';
import type { Instance } from '../../domain/instance.ts';
import type { LoadedFleet } from '../file/resolve.ts';

/** Deployments of the file, and those that the file has lost and that run still. Throws DEPLOYMENT_UNKNOWN for any other name. */
export function expectNamed(
  names: readonly string[],
  loaded: LoadedFleet,
  running: readonly Instance[] = [],
): void {
  const known = [
    ...loaded.deployments.map((one) => one.name),
    ...running.flatMap(({ mark }) => mark?.deployment ?? []),
  ];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new BerthError('DEPLOYMENT_UNKNOWN', { name: unknown, known: [...new Set(known)] });
}
