import { secretPlaces } from './secret-places.ts';
import { entriesAt, pieceAt, withEntry } from './tree.ts';
import type { Located } from './tree.ts';

/**
 * Puts what the table `secrets` says into each place that names one of its entries. A name that is not in the table stays, and is
 * told as any other text that is no reference: it could be a secret itself, so that it is never repeated.
 */
export function fillSecrets(tree: Located): Located {
  const table = new Map(entriesAt(tree, ['secrets']));
  if (table.size === 0) return tree;
  return secretPlaces(tree).reduce((filled, { path, piece }) => {
    const { content } = piece;
    const named = content.kind === 'scalar' ? table.get(String(content.value)) : undefined;
    if (!named) return filled;
    // What is wrong with a Secret of a cluster is where it is wanted.
    const place = named.content.kind === 'map' ? { file: piece.file, path: piece.path, at: piece.at } : {};
    return replacedAt(filled, path, { ...named, ...place, keyAt: piece.keyAt });
  }, tree);
}

export function replacedAt(tree: Located, [key, ...rest]: readonly string[], value: Located): Located {
  if (key === undefined) return value;
  const below = pieceAt(tree, [key]);
  return below ? withEntry(tree, key, replacedAt(below, rest, value)) : tree;
}
