import { entriesAt, overlay, pieceAt, scalarAt, withEntry } from './tree.ts';
import type { Located } from './tree.ts';

/** Lays each deployment over `defaults`. What the defaults say of an engine or a target holds for their own kind alone. */
export function fillDefaults(tree: Located): Located {
  const defaults = pieceAt(tree, ['defaults']);
  const deployments = pieceAt(tree, ['deployments']);
  if (defaults?.content.kind !== 'map' || !deployments) return tree;
  let filled = deployments;
  for (const [name, deployment] of entriesAt(tree, ['deployments'])) {
    if (deployment.content.kind === 'map')
      filled = withEntry(filled, name, {
        ...overlay(fitting(defaults, deployment), deployment),
        keyAt: deployment.keyAt,
      });
  }
  return withEntry(tree, 'deployments', filled);
}

function fitting(defaults: Located, deployment: Located): Located {
  if (defaults.content.kind !== 'map') return defaults;
  const entries = new Map(defaults.content.entries);
  for (const part of ['engine', 'target']) {
    const own = scalarAt(deployment, [part, 'kind']);
    const usual = scalarAt(defaults, [part, 'kind']);
    if (own !== undefined && own !== usual) entries.delete(part);
  }
  return { ...defaults, content: { kind: 'map', entries } };
}
