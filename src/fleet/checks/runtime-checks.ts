import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt, toPlain } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf } from './port-checks.ts';

/** What a runtime of KServe is made of; all that share one have to say the same of it. */
const parts = [
  ['engine', 'kind'],
  ['engine', 'version'],
  ['engine', 'build'],
  ['engine', 'startTimeout'],
  ['target', 'image'],
  ['target', 'entrypoint'],
  ['target', 'format'],
] as const;

/** Deployments that share a ServingRuntime by name and would each make another one of it. */
export function runtimeFaults(tree: Located): ConfigFault[] {
  const first = new Map<string, [name: string, piece: Located]>();
  return entriesAt(tree, ['deployments']).flatMap(([name, deployment]) => {
    const piece = pieceAt(deployment, ['target', 'runtime', 'create']);
    const runtime = scalarAt(deployment, ['target', 'runtime', 'create']);
    if (piece === null || typeof runtime !== 'string') return [];
    const id = `${hostOf(tree, deployment)} ${runtime}`;
    const earlier = first.get(id);
    if (!earlier) {
      first.set(id, [name, deployment]);
      return [];
    }
    const other = parts.find((part) => said(earlier[1], part) !== said(deployment, part));
    if (!other) return [];
    return [
      fault(
        deployment,
        deployment.keyAt,
        `It shares the runtime ${runtime} with ${earlier[0]}, and says another ${other.join('.')}.`,
        'Say the same in both, or give one of them another target.runtime.',
      ),
    ];
  });
}

function said(deployment: Located, part: readonly string[]): string {
  const piece = pieceAt(deployment, part);
  return JSON.stringify(piece === null ? null : toPlain(piece));
}
