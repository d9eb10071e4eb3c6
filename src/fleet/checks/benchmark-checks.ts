import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { instanceTypeLabel, listPrice } from '../../hardware/prices.ts';
import { fault } from '../file/fault.ts';
import { referenceFault } from '../file/references.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';
import { hostOf, isCluster } from './port-checks.ts';

/** Benchmarks of what is not there, by clients that run nowhere, at prices that nobody knows, told to nobody. */
export function benchmarkFaults(tree: Located): ConfigFault[] {
  const deployments = entriesAt(tree, ['deployments']).map(([name]) => name);
  const publishers = entriesAt(tree, ['publishers']).map(([name]) => name);
  return entriesAt(tree, ['benchmarks']).flatMap(([, benchmark]) => [
    ...named(benchmark, 'of').flatMap((piece) => referenceFault(piece, 'deployment', deployments)),
    ...named(benchmark, 'publish').flatMap((piece) => referenceFault(piece, 'publisher', publishers)),
    ...placeFaults(tree, benchmark),
    ...named(benchmark, 'of').flatMap((piece) => priceFaults(tree, benchmark, piece)),
    ...secretFaults(tree, benchmark),
  ]);
}

/** One name, or several. */
function named(benchmark: Located, key: string): readonly Located[] {
  const piece = pieceAt(benchmark, [key]);
  return piece?.content.kind === 'list' ? piece.content.items : piece ? [piece] : [];
}

function placeFaults(tree: Located, benchmark: Located): ConfigFault[] {
  const runsOn = pieceAt(benchmark, ['runsOn']);
  const host = scalarAt(benchmark, ['runsOn']);
  const known = [...new Set([...entriesAt(tree, ['hosts']).map(([name]) => name), 'local'])];
  if (runsOn) {
    const unknown = referenceFault(runsOn, 'host', known);
    if (unknown.length > 0) return unknown;
    if (pieceAt(tree, ['hosts', String(host), 'ssh']))
      return [
        fault(
          runsOn,
          runsOn.at,
          `Host ${String(host)} is another machine, where berth starts no client.`,
          'Name a cluster, or leave it out and run "berth bench" there.',
        ),
      ];
  }
  if (isCluster(tree, String(host))) return [];
  return ['image', 'results'].flatMap((key) => {
    const piece = pieceAt(benchmark, [key]);
    if (!piece) return [];
    const what = `"${key}" has no meaning here: the client does not run in a cluster.`;
    return [fault(piece, piece.keyAt, what, 'Name a cluster in runsOn, or remove it.')];
  });
}

function priceFaults(tree: Located, benchmark: Located, of: Located): ConfigFault[] {
  const piece = pieceAt(benchmark, ['price', 'from']);
  const deployment = pieceAt(tree, [
    'deployments',
    of.content.kind === 'scalar' ? String(of.content.value) : '',
  ]);
  if (!piece || !deployment) return [];
  const host = hostOf(tree, deployment);
  if (scalarAt(benchmark, ['price', 'from']) === 'host')
    return pieceAt(tree, ['hosts', host, 'price', 'hour'])
      ? []
      : [fault(piece, piece.at, `Host ${host} has no price.`, `Add hosts.${host}.price: {hour: 1.5}.`)];
  if (scalarAt(benchmark, ['price', 'from']) !== 'catalog') return [];
  const type = pieceAt(deployment, ['target', 'nodeSelector', instanceTypeLabel]);
  const name = type?.content.kind === 'scalar' ? String(type.content.value) : null;
  const cure = 'Write price: {hour: 1.5}, or the price of its host and price: {from: host}.';
  if (name === null)
    return [
      fault(
        piece,
        piece.at,
        `The instance type of ${String(of.content.kind === 'scalar' ? of.content.value : '')} is not known: its target.nodeSelector names no ${instanceTypeLabel}.`,
        cure,
      ),
    ];
  return listPrice(name) === null
    ? [fault(piece, piece.at, `The catalog has no price of ${name}.`, cure)]
    : [];
}

/** What a cluster has is given to a client that runs there alone. */
function secretFaults(tree: Located, benchmark: Located): ConfigFault[] {
  if (isCluster(tree, String(scalarAt(benchmark, ['runsOn'])))) return [];
  return named(benchmark, 'publish').flatMap((piece) => {
    const name = piece.content.kind === 'scalar' ? String(piece.content.value) : '';
    const secret =
      pieceAt(tree, ['publishers', name, 'secret']) ?? pieceAt(tree, ['publishers', name, 'auth']);
    if (secret?.content.kind !== 'map') return [];
    return [
      fault(
        piece,
        piece.at,
        `The publisher ${name} wants a Secret of a cluster, which is given to pods alone, and this client runs in none.`,
        'Name a cluster in runsOn, or write "${env:NAME}" or "${file:PATH}" for the publisher.',
      ),
    ];
  });
}
