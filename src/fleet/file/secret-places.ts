import { entriesAt, pieceAt } from './tree.ts';
import type { Located } from './tree.ts';

/** Where the file says that secrets lie: the keys of the gateway's clients, those of servers, variables of engines, models and publishers elsewhere, and where limits are shared. */
export function secretPlaces(tree: Located): { readonly path: readonly string[]; readonly piece: Located }[] {
  const paths = [
    ...entriesAt(tree, ['gateway', 'keys']).map(([name]) => ['gateway', 'keys', name]),
    ['gateway', 'masterKey'],
    ...entriesAt(tree, ['deployments']).map(([name]) => ['deployments', name, 'engine', 'key']),
    ...entriesAt(tree, ['deployments']).flatMap(([name]) =>
      entriesAt(tree, ['deployments', name, 'engine', 'env']).map(([variable]) => [
        'deployments',
        name,
        'engine',
        'env',
        variable,
        'secret',
      ]),
    ),
    ...entriesAt(tree, ['models']).map(([name]) => ['models', name, 'secret']),
    ...entriesAt(tree, ['publishers']).flatMap(([name]) => [
      ['publishers', name, 'secret'],
      ['publishers', name, 'auth'],
    ]),
    ['gateway', 'limits', 'shared'],
  ];
  return paths.flatMap((path) => {
    const piece = pieceAt(tree, path);
    return piece ? [{ path, piece }] : [];
  });
}

/** Of those the ones that the gateway itself reads, wherever it runs. */
export function gatewaySecretPlaces(tree: Located): ReturnType<typeof secretPlaces> {
  return secretPlaces(tree).filter(
    ({ path: [part, , , key] }) => part === 'gateway' || (part === 'deployments' && key === 'key'),
  );
}

/** How models are fetched into claims of clusters: what a Job is given there stands in its manifest. */
export function fetchesIn(tree: Located): Located[] {
  return entriesAt(tree, ['models']).flatMap(([, model]) =>
    entriesAt(model, ['at']).flatMap(([, place]) => pieceAt(place, ['fetch']) ?? []),
  );
}

export function referenceOf(piece: Located, scheme: 'env' | 'file'): string | null {
  const { content } = piece;
  if (content.kind !== 'scalar' || typeof content.value !== 'string') return null;
  const [, found, rest] = /^\$\{(env|file):([^}]+)\}$/.exec(content.value) ?? [];
  return found === scheme ? (rest ?? null) : null;
}

/** Names of the environment variables that hold secrets of this fleet. */
export function secretVariables(tree: Located): string[] {
  const pieces = [
    ...secretPlaces(tree).map(({ piece }) => piece),
    ...entriesAt(tree, ['secrets']).map(([, piece]) => piece),
  ];
  const names = pieces.flatMap((piece) => referenceOf(piece, 'env') ?? []);
  return [...new Set(names)].toSorted();
}
