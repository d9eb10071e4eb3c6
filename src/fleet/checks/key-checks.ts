import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { isLoopback } from '../../domain/loopback.ts';
import { ListenAddress } from '../../domain/units.ts';
import type { World } from '../../io/world.ts';
import { fault } from '../file/fault.ts';
import { masterName } from '../gateway/file-keys.ts';
import { readKeys } from '../gateway/key-file.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** What the command is about to do with the gateway: nothing, or open it; then with what its own command line allows. */
export type Opening = { readonly allowAnonymous: boolean } | null;

/**
 * Faults between the fleet file and the keys that were made for the fleet: names that clash, and a gateway that anybody on the network
 * could use. `fleet`: null when the file does not tell which fleet it is. Throws KEYS_UNREADABLE.
 */
export async function keyFaults(
  world: World,
  tree: Located,
  fleet: FleetIdentity | null,
  opening: Opening,
): Promise<ConfigFault[]> {
  const made = fleet && (await readKeys(world, fleet));
  const names = made?.map((key) => key.name) ?? [];
  return [...clashes(tree, names), ...openFaults(tree, made !== null, opening)];
}

function clashes(tree: Located, made: readonly string[]): ConfigFault[] {
  const named = entriesAt(tree, ['gateway', 'keys']);
  const master = pieceAt(tree, ['gateway', 'masterKey']);
  const all = master ? [...named, [masterName, master] as const] : named;
  const twice = named.filter(([name]) => master && name === masterName);
  return [
    ...twice.map(([, piece]) =>
      fault(piece, piece.keyAt, 'The master key is called "master" too.', 'Give this one another name.'),
    ),
    ...madeToo(all, made),
  ];
}

function madeToo(named: readonly (readonly [string, Located])[], made: readonly string[]): ConfigFault[] {
  return named
    .filter(([name]) => made.includes(name))
    .map(([name, piece]) =>
      fault(
        piece,
        piece.keyAt,
        `A key "${name}" was made with "berth keys add" too.`,
        `Give this one another name, or take the other away: berth keys revoke ${name}`,
      ),
    );
}

/** Others can reach the gateway and need no key. Whoever means it says it twice: in the file and on the command line. */
function openFaults(tree: Located, hasMade: boolean, opening: Opening): ConfigFault[] {
  const allowed = pieceAt(tree, ['gateway', 'allowAnonymous']);
  const open = openAddresses(tree);
  if (open.length === 0) return [];
  if (allowed && scalarAt(allowed, []) === true) {
    if (opening === null || opening.allowAnonymous) return [];
    return [
      fault(
        allowed,
        allowed.at,
        `The gateway would serve anybody who reaches ${open.map(({ address }) => address).join(', ')}, and that is to be said twice.`,
        'Say it on the command line too: berth up --allow-anonymous. Or remove this, and make keys with "berth keys add NAME".',
      ),
    ];
  }
  if (hasMade || pieceAt(tree, ['gateway', 'masterKey'])) return [];
  if (entriesAt(tree, ['gateway', 'keys']).length > 0) return [];
  return open.map(({ piece, address }) =>
    fault(
      piece,
      piece.at,
      `The gateway would be open to the network at ${address} without a key.`,
      'Make one with "berth keys add NAME", name some in gateway.keys, or listen on 127.0.0.1.',
    ),
  );
}

/** Addresses of the gateway that others than this machine can reach. Pure. */
export function openAddresses(tree: Located): { piece: Located; address: string }[] {
  const listen = pieceAt(tree, ['gateway', 'listen'])?.content;
  return (listen?.kind === 'list' ? listen.items : []).flatMap((piece) => {
    const parsed = ListenAddress.safeParse(scalarAt(piece, []));
    return parsed.success && !isLoopback(parsed.data.address)
      ? [{ piece, address: parsed.data.address }]
      : [];
  });
}
