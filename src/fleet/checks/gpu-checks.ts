import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { engineIn } from './engine-in.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster } from './port-checks.ts';

interface Division {
  readonly options: readonly string[];
  readonly beyond: Readonly<Record<string, RegExp>>;
}

/** A model divided over more GPUs than its replica is given: the engine would end as it starts. */
export function gpuFaults(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const engine = engineIn(deployment);
    const given = gpusOf(tree, deployment);
    if (!engine || !('gpuDivision' in engine) || given === null) return [];
    const division: Division = engine.gpuDivision;
    if (isSpread(deployment, division)) return [];
    const stated = division.options.flatMap((option) => {
      const piece = pieceAt(deployment, ['engine', option]);
      const parts = scalarAt(deployment, ['engine', option]);
      return piece && typeof parts === 'number' && parts > 1 ? [{ option, piece, parts }] : [];
    });
    const [first] = stated;
    const wanted = stated.reduce((product, { parts }) => product * parts, 1);
    if (!first || wanted <= given) return [];
    const what = stated.map(({ option, parts }) => `${option} ${parts}`).join(' times ');
    return [
      fault(
        first.piece,
        first.piece.at,
        `${what} wants ${wanted} GPUs, and each replica is given ${given === 0 ? 'none' : given}.`,
        `Write gpus: ${wanted}, or lower ${stated.map(({ option }) => option).join(' or ')}${given === 0 ? ', or write accelerator: cpu where it is to compute on CPUs' : ''}.`,
      ),
    ];
  });
}

/**
 * Null where an engine may see GPUs that the file does not name: a process sees those of its machine, and a patch, a runtime that
 * is only named, or a hardware profile may give some.
 */
function gpusOf(tree: Located, deployment: Located): number | null {
  const gpus = scalarAt(deployment, ['gpus']);
  const count = typeof gpus === 'number' && gpus > 0 ? gpus : 0;
  const places = [
    ['target', 'gpuIds'],
    ['target', 'container', 'gpuIds'],
  ];
  const ids = places.flatMap((path) => pieceAt(deployment, path) ?? [])[0]?.content;
  if (ids?.kind === 'list') return namedGpus(deployment, ids.items.length, count);
  if (count > 0) return count;
  const accelerator = scalarAt(deployment, ['engine', 'accelerator']);
  if (
    !isCluster(tree, hostOf(tree, deployment)) ||
    accelerator === 'cpu' ||
    givers.some((path) => pieceAt(deployment, path))
  )
    return null;
  return accelerator === undefined ? 0 : 1;
}

const givers = [
  ['target', 'patch'],
  ['target', 'runtime', 'use'],
  ['target', 'dashboard', 'hardwareProfile'],
];

/** Its part of those that a container is given by name, and all where they are too few to be dealt out. Of AMD it sees all there are. */
function namedGpus(deployment: Located, named: number, count: number): number | null {
  const accelerator = scalarAt(deployment, ['engine', 'accelerator']) ?? (count > 0 ? 'cuda' : 'cpu');
  if (accelerator !== 'cuda') return null;
  const replicas = scalarAt(deployment, ['replicas']);
  const each = Math.floor(named / (typeof replicas === 'number' && replicas > 0 ? replicas : 1));
  return each < Math.max(1, count) ? named : each;
}

function isSpread(deployment: Located, { beyond }: Division): boolean {
  return Object.entries(beyond).some(([option, word]) => {
    const content = pieceAt(deployment, ['engine', option])?.content;
    const items = content?.kind === 'list' ? content.items : [];
    const texts = content?.kind === 'scalar' ? [content.value] : items.map((item) => scalarAt(item, []));
    return texts.some((text) => typeof text === 'string' && word.test(text));
  });
}
