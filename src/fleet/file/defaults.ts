import { engines } from '../../engines/registry.ts';
import { entriesAt, overlay, pieceAt, scalarAt, withEntry } from './tree.ts';
import type { Located } from './tree.ts';

/**
 * Lays each deployment over `defaults`. What the defaults say of an engine or a target holds for their own kind alone, and a model for
 * engines that are given one.
 */
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
    if (part === 'engine' && hasOwnModels(own ?? usual)) entries.delete('model');
  }
  return withoutOthers({ ...defaults, content: { kind: 'map', entries } }, deployment);
}

function hasOwnModels(kind: unknown): boolean {
  const engine = engines.find((one) => one.kind === kind);
  return engine !== undefined && 'modelsPath' in engine;
}

/** Where one key of several may stand; that of a deployment takes the place of another one that the defaults have. */
const choices = [{ at: ['target', 'runtime'], keys: ['create', 'use'] }];

function withoutOthers(defaults: Located, deployment: Located): Located {
  let left = defaults;
  for (const { at, keys } of choices) {
    const own = new Set(entriesAt(deployment, at).map(([key]) => key));
    const usual = pieceAt(left, at);
    if (usual?.content.kind !== 'map' || !keys.some((key) => own.has(key))) continue;
    const kept = [...usual.content.entries].filter(([key]) => own.has(key) || !keys.includes(key));
    left = replaced(left, at, { ...usual, content: { kind: 'map', entries: new Map(kept) } });
  }
  return left;
}

function replaced(tree: Located, [key, ...rest]: readonly string[], piece: Located): Located {
  if (key === undefined) return piece;
  const below = pieceAt(tree, [key]);
  return below === null ? tree : withEntry(tree, key, replaced(below, rest, piece));
}
