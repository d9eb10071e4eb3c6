import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { KserveOptions } from '../../targets/kserve/options.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt, toPlain } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { sameValue } from '../plan/differences.ts';
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
    const [one, two] = [meant(earlier[1]), meant(deployment)];
    const other = parts.find((part) => !sameValue(at(one, part), at(two, part)));
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

/** "600s" is "10m", and what is written down as it would be anyway is no difference. What is faulty is told elsewhere, and taken as it is written. */
function meant(deployment: Located): Readonly<Record<string, unknown>> {
  const [engine, target] = ['engine', 'target'].map((part) => {
    const piece = pieceAt(deployment, [part]);
    return piece === null ? undefined : toPlain(piece);
  });
  const { options = null } = engineIn(deployment) ?? {};
  return {
    engine: options?.safeParse(engine).data ?? engine,
    target: KserveOptions.safeParse(target).data ?? target,
  };
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (within, key) => (typeof within === 'object' && within !== null ? Reflect.get(within, key) : undefined),
    value,
  );
}
