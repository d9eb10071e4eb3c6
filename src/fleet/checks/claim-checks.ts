import { posix } from 'node:path';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { shownSource } from '../../domain/model-source.ts';
import { fault } from '../file/fault.ts';
import { projectorBeside } from '../file/fetched-into.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** A model or its projector that a Job fetches into a claim of a host, because a deployment there wants it. */
interface Fetched {
  readonly model: string;
  readonly source: string;
  readonly what: 'It' | 'Its projector';
  /** Host, claim and path in it. */
  readonly to: string;
  readonly said: Located;
}

/** Models of which each would be written over the other, as their deployments start. */
export function claimFaults(tree: Located): ConfigFault[] {
  const first = new Map<string, Fetched>();
  const told = new Set<string>();
  const fetched = entriesAt(tree, ['deployments']).flatMap(([, deployment]) => fetchedFor(tree, deployment));
  return fetched.flatMap((one) => {
    const { model, source, what, said } = one;
    const before = first.get(one.to) ?? one;
    first.set(one.to, before);
    if (before.source === source || told.has(model)) return [];
    told.add(model);
    const whose = before.what === 'It' ? '' : 'the projector of ';
    return [
      fault(
        said,
        said.keyAt,
        `${what} is fetched to the place of ${whose}model ${before.model}, which comes from ${shownSource(before.source)}.`,
        'Give each a path of its own in the claim; a projector lies beside its model.',
      ),
    ];
  });
}

function fetchedFor(tree: Located, deployment: Located): Fetched[] {
  const model = scalarAt(deployment, ['model']);
  if (typeof model !== 'string') return [];
  const host = hostOf(tree, deployment);
  const said = pieceAt(tree, ['models', model, 'at', host]);
  const source = scalarAt(tree, ['models', model, 'source']);
  const claim = said && scalarAt(said, ['pvc']);
  if (!said || !pieceAt(said, ['fetch']) || typeof source !== 'string' || typeof claim !== 'string')
    return [];
  const stated = scalarAt(said, ['path']);
  const path = typeof stated === 'string' ? stated : '';
  function to(inside: string): string {
    return JSON.stringify([host, claim, posix.join('/', inside)]);
  }
  const mmproj = scalarAt(tree, ['models', model, 'mmproj']);
  const projector = typeof mmproj === 'string' ? projectorBeside(path, mmproj) : null;
  return [
    { model, source, what: 'It', to: to(path), said },
    ...(typeof mmproj === 'string' && projector !== null
      ? [{ model, source: mmproj, what: 'Its projector' as const, to: to(projector), said }]
      : []),
  ];
}
