import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Fallbacks to routes that are not there, and those that lead back to where they began. */
export function fallbackFaults(tree: Located): ConfigFault[] {
  const named = namedFallbacks(tree);
  const known = knownRoutes(tree);
  const missing = named.flatMap(({ piece }) =>
    referenceFault(piece, 'route or deployment', [...known.keys()]),
  );
  return [...missing, ...loopFaults(named, known)];
}

/** One name in a route's fallback. */
interface Named {
  readonly route: string;
  readonly name: string;
  readonly piece: Located;
}

function namedFallbacks(tree: Located): Named[] {
  return entriesAt(tree, ['gateway', 'routes']).flatMap(([route, entry]) => {
    const said = pieceAt(entry, ['fallback']);
    const list = said?.content.kind === 'map' ? pieceAt(said, ['to']) : said;
    const items = list?.content.kind === 'list' ? list.content.items : [];
    return items.flatMap((piece) => {
      const name = scalarAt(piece, []);
      return typeof name === 'string' ? [{ route, name, piece }] : [];
    });
  });
}

/** All names that can be asked for, each with the route it stands for. */
function knownRoutes(tree: Located): Map<string, string> {
  const known = new Map<string, string>();
  for (const [name] of entriesAt(tree, ['deployments'])) known.set(name, name);
  for (const [route, entry] of entriesAt(tree, ['gateway', 'routes'])) {
    known.set(route, route);
    const aliases = pieceAt(entry, ['aliases'])?.content;
    for (const alias of aliases?.kind === 'list' ? aliases.items : []) {
      const name = scalarAt(alias, []);
      if (typeof name === 'string') known.set(name, route);
    }
  }
  return known;
}

/** Each name whose route leads back to the one it stands in: told at every link of the loop, so that any can be cut. */
function loopFaults(named: readonly Named[], known: ReadonlyMap<string, string>): ConfigFault[] {
  const next = new Map<string, string[]>();
  for (const { route, name } of named) next.set(route, [...(next.get(route) ?? []), known.get(name) ?? name]);
  function leadsTo(from: string, to: string, seen: Set<string>): boolean {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return (next.get(from) ?? []).some((one) => leadsTo(one, to, seen));
  }
  return named.flatMap(({ route, name, piece }) =>
    leadsTo(known.get(name) ?? name, route, new Set())
      ? [
          fault(
            piece,
            piece.at,
            `The fallback "${name}" leads back to the route "${route}".`,
            'Remove one link of the loop.',
          ),
        ]
      : [],
  );
}
