import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Limits and prices of models that nobody can ask for, and budgets in money that nothing can be counted against. */
export function limitFaults(tree: Located): ConfigFault[] {
  return [
    ...nameFaults(tree, ['gateway', 'limits', 'models']),
    ...nameFaults(tree, ['gateway', 'prices']),
    ...budgetFaults(tree),
  ];
}

/** Keys of the map at `path` must be names of routes or deployments; an alias is counted with what it stands for. */
function nameFaults(tree: Located, path: readonly string[]): ConfigFault[] {
  const known = [...entriesAt(tree, ['gateway', 'routes']), ...entriesAt(tree, ['deployments'])].map(
    ([name]) => name,
  );
  const aliases = aliasesOf(tree);
  return entriesAt(tree, path).flatMap(([name, piece]) => {
    const route = aliases.get(name);
    if (route !== undefined)
      return [
        fault(
          piece,
          piece.keyAt,
          `"${name}" is an alias of "${route}", and is counted with it.`,
          `Write ${route} instead.`,
        ),
      ];
    const key = { ...piece, at: piece.keyAt, content: { kind: 'scalar', value: name } } as const;
    return referenceFault(key, 'model', known);
  });
}

/** The route of each alias. */
function aliasesOf(tree: Located): Map<string, string> {
  const aliases = new Map<string, string>();
  for (const [route, piece] of entriesAt(tree, ['gateway', 'routes'])) {
    const list = pieceAt(piece, ['aliases'])?.content;
    for (const item of list?.kind === 'list' ? list.items : []) {
      const name = scalarAt(item, []);
      if (typeof name === 'string') aliases.set(name, route);
    }
  }
  return aliases;
}

function budgetFaults(tree: Located): ConfigFault[] {
  if (entriesAt(tree, ['gateway', 'prices']).length > 0) return [];
  return budgets(tree).flatMap((budget) =>
    ['day', 'month'].flatMap((span) => {
      const piece = pieceAt(budget, [span, 'usd']);
      if (!piece) return [];
      return [
        fault(
          piece,
          piece.keyAt,
          'A budget in money is never spent: no model has a price.',
          'Add gateway.prices, or bound tokens instead.',
        ),
      ];
    }),
  );
}

function budgets(tree: Located): Located[] {
  const common = pieceAt(tree, ['gateway', 'limits', 'eachKey', 'budget']);
  return common ? [common] : [];
}
