/**
 * Does what is in each chain in its order, and the chains side by side. Once something has failed nothing new begins; what is under
 * way comes to its end. Throws the first failure.
 */
export async function sideBySide<One>(
  chains: readonly (readonly One[])[],
  act: (one: One) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  await Promise.all(
    chains.map(async (chain) => {
      for (const one of chain) {
        if (failures.length > 0) return;
        try {
          await act(one);
        } catch (error) {
          failures.push(error);
        }
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
}

/** Runs of neighbours that `belong`, as chains by key; each of the others is a run of its own. Pure. */
export function inRuns<One>(
  all: readonly One[],
  { belongs, keyOf }: { belongs: (one: One) => boolean; keyOf: (one: One) => string },
): One[][][] {
  const runs: One[][] = [];
  for (const one of all) {
    const last = runs.at(-1);
    const [neighbour] = last ?? [];
    if (last && neighbour && belongs(neighbour) && belongs(one)) last.push(one);
    else runs.push([one]);
  }
  return runs.map((run) => [...Map.groupBy(run, keyOf).values()]);
}
