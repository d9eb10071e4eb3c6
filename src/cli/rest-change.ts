import { putToRest, withRest } from '../fleet/plan/at-rest.ts';
import type { Resting } from './fleet-file.ts';

/** What was changed beside engines: whether deployments stand still by hand. */
export interface RestChange {
  readonly rest: boolean;
  /** Those that it was otherwise for before. */
  readonly changed: readonly { readonly deployment: string; readonly onDemand: boolean }[];
}

/** Has deployments stand still from now on, or no longer. However often it is asked to, `made` tells what it was for before the first time. */
export function changeRest(
  names: readonly string[],
  rest: boolean,
): { readonly resting: Resting; readonly made: () => RestChange } {
  const changed = new Map<string, boolean>();
  return {
    resting: async (world, file) => {
      const before = await withRest(world, file);
      const now = await putToRest(world, file, { names, rest });
      const otherwise = before.deployments.filter(
        ({ name, atRest }) => names.includes(name) && (atRest !== undefined) !== rest,
      );
      for (const { name } of otherwise)
        changed.set(
          name,
          file.deployments.some((one) => one.name === name && one.onDemand !== null),
        );
      return now;
    },
    made: () => ({ rest, changed: [...changed].map(([deployment, onDemand]) => ({ deployment, onDemand })) }),
  };
}

/** In words, of those whose engines were left as they were: `touched` names the others. */
export function restWords({ rest, changed }: RestChange, touched: ReadonlySet<string>): string[] {
  return changed
    .filter(({ deployment }) => !touched.has(deployment))
    .map(({ deployment, onDemand }) => {
      if (rest) return `keep ${deployment} from being ${onDemand ? 'loaded' : 'started'}`;
      return onDemand ? `let ${deployment} be loaded by its next request` : `let ${deployment} run`;
    });
}
