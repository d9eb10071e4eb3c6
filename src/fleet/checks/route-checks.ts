import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { referenceFault } from '../file/references.ts';
import { fallbackFaults } from './fallback-checks.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Routes to nothing, and names that mean two things. */
export function routeFaults(tree: Located): ConfigFault[] {
  return [...targetFaults(tree), ...shadowFaults(tree), ...aliasFaults(tree), ...fallbackFaults(tree)];
}

function targetFaults(tree: Located): ConfigFault[] {
  const deployments = entriesAt(tree, ['deployments']).map(([name]) => name);
  return entriesAt(tree, ['gateway', 'routes']).flatMap(([, route]) => {
    const to = route.content.kind === 'map' ? pieceAt(route, ['to']) : route;
    if (!to) return [];
    if (to.content.kind === 'scalar') return referenceFault(to, 'deployment', deployments);
    if (to.content.kind !== 'map') return [];
    return [...to.content.entries].flatMap(([name, weight]) =>
      referenceFault(
        { ...weight, at: weight.keyAt, content: { kind: 'scalar', value: name } },
        'deployment',
        deployments,
      ),
    );
  });
}

function shadowFaults(tree: Located): ConfigFault[] {
  const deployments = entriesAt(tree, ['deployments']).map(([name]) => name);
  return entriesAt(tree, ['gateway', 'routes']).flatMap(([, route]) => {
    const to = pieceAt(route, ['shadow', 'to']);
    return to ? referenceFault(to, 'deployment', deployments) : [];
  });
}

function aliasFaults(tree: Located): ConfigFault[] {
  const taken = new Map<string, string>();
  for (const [name] of entriesAt(tree, ['deployments'])) taken.set(name, 'a deployment');
  for (const [name] of entriesAt(tree, ['gateway', 'routes'])) taken.set(name, 'a route');
  return entriesAt(tree, ['gateway', 'routes']).flatMap(([route, piece]) => {
    const aliases = pieceAt(piece, ['aliases'])?.content;
    return (aliases?.kind === 'list' ? aliases.items : []).flatMap((alias) => {
      const name = scalarAt(alias, []);
      if (typeof name !== 'string') return [];
      const holder = taken.get(name);
      taken.set(name, `an alias of route ${route}`);
      if (holder === undefined) return [];
      return [
        fault(
          alias,
          alias.at,
          `The alias "${name}" is ${holder} already.`,
          'Choose another name, or remove it.',
        ),
      ];
    });
  });
}
