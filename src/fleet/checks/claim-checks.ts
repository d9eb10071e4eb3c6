import { posix } from 'node:path';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { shownSource } from '../../domain/model-source.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** A model that a Job fetches into a claim of a host, because a deployment there wants it. */
interface Fetched {
  readonly model: string;
  readonly source: string;
  /** Host, claim and path in it. */
  readonly to: string;
  readonly said: Located;
}

/** Models of which each would be written over the other, as their deployments start. */
export function claimFaults(tree: Located): ConfigFault[] {
  const first = new Map<string, Fetched>();
  const told = new Set<string>();
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const fetched = fetchedFor(tree, deployment);
    if (!fetched) return [];
    const before = first.get(fetched.to) ?? fetched;
    first.set(fetched.to, before);
    const { model, source, said } = fetched;
    if (before.source === source || told.has(model)) return [];
    told.add(model);
    return [
      fault(
        said,
        said.keyAt,
        `It is fetched to the place of model ${before.model}, which comes from ${shownSource(before.source)}.`,
        'Give each a path of its own in the claim.',
      ),
    ];
  });
}

function fetchedFor(tree: Located, deployment: Located): Fetched | null {
  const model = scalarAt(deployment, ['model']);
  if (typeof model !== 'string') return null;
  const host = hostOf(tree, deployment);
  const said = pieceAt(tree, ['models', model, 'at', host]);
  const source = scalarAt(tree, ['models', model, 'source']);
  const claim = said && scalarAt(said, ['pvc']);
  if (!said || !pieceAt(said, ['fetch']) || typeof source !== 'string' || typeof claim !== 'string')
    return null;
  const path = scalarAt(said, ['path']);
  const inside = typeof path === 'string' ? posix.join('/', path) : '/';
  return { model, source, to: JSON.stringify([host, claim, inside]), said };
}
