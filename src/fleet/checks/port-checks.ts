import { ipVersion, meet } from '../../domain/audit/listen-address.ts';
import type { ConfigFault } from '../../domain/errors/fleet-errors.ts';
import { machineOf, thisMachine } from '../../domain/host-access.ts';
import { fault } from '../file/fault.ts';
import { entriesAt, pieceAt, scalarAt } from '../file/tree.ts';
import type { Located } from '../file/tree.ts';

/** Where a port is claimed, and by what, in words. */
interface Claim {
  readonly host: string;
  readonly port: number;
  /** "*" where it may be any. */
  readonly address: string;
  readonly piece: Located;
  readonly by: string;
}

/** Two that want one port on one machine, ports that it reserves, and replicas that would share a pinned port. */
export function portFaults(tree: Located): ConfigFault[] {
  const faults: ConfigFault[] = [];
  const claims: Claim[] = [];
  for (const claim of [...listeners(tree), ...pinned(tree)]) {
    const machine = machineOfHost(tree, claim.host);
    const earlier = claims.find(
      (one) =>
        one.port === claim.port &&
        meet(one.address, claim.address) &&
        machineOfHost(tree, one.host) === machine,
    );
    const at = claim.piece.at;
    if (earlier)
      faults.push(
        fault(
          claim.piece,
          at,
          `Port ${claim.port} is taken twice on ${together(earlier.host, claim.host)}: ${earlier.by} has it in line ${earlier.piece.at.line}.`,
          'Give one of them another port.',
        ),
      );
    else claims.push(claim);
    const reserver = namesOf(tree, machine).find((host) => reserved(tree, host).includes(claim.port));
    if (reserver !== undefined)
      faults.push(
        fault(
          claim.piece,
          at,
          `Port ${claim.port} is reserved on ${together(reserver, claim.host)}.`,
          `Name another port, or take it out of hosts.${reserver}.reserve.`,
        ),
      );
  }
  return [...faults, ...sharedByReplicas(tree)];
}

function together(one: string, other: string): string {
  return one === other ? `host ${one}` : `one machine, which is both ${one} and ${other}`;
}

/** Hosts that are one machine by another user: berth would see its engines twice. */
export function twiceNamedFaults(tree: Located): ConfigFault[] {
  const first = new Map<string, { name: string; ssh: string }>();
  return entriesAt(tree, ['hosts']).flatMap(([name, host]) => {
    const piece = pieceAt(host, ['ssh']);
    const ssh = scalarAt(host, ['ssh']);
    if (piece === null || typeof ssh !== 'string') return [];
    const place = ssh.replace(/^(ssh:\/\/)?([^@]*@)?/, '').toLowerCase();
    const earlier = first.get(place);
    if (!earlier) {
      first.set(place, { name, ssh });
      return [];
    }
    if (machineOf({ become: 'none', ssh }) === machineOf({ become: 'none', ssh: earlier.ssh })) return [];
    return [
      fault(
        piece,
        piece.at,
        `${name} is the same machine as ${earlier.name}, by another user.`,
        'Have both say the same "ssh" (one may have "become: sudo"), or make them one.',
      ),
    ];
  });
}

/** The host of a deployment: its own, the only one, or this machine. */
export function hostOf(tree: Located, deployment: Located): string {
  const named = scalarAt(deployment, ['host']);
  if (typeof named === 'string') return named;
  const [first, second] = entriesAt(tree, ['hosts']);
  return first && !second ? first[0] : 'local';
}

/** Whether a host of the file is a cluster: pods have an address each, so that no two of them meet. */
export function isCluster(tree: Located, host: string): boolean {
  return pieceAt(tree, ['hosts', host, 'kubernetes']) !== null;
}

/** Which machine a host stands for; one that the file does not have stands for itself. */
export function machineOfHost(tree: Located, host: string): string {
  if (host !== thisMachine && pieceAt(tree, ['hosts', host]) === null) return `unknown ${host}`;
  const ssh = scalarAt(tree, ['hosts', host, 'ssh']);
  return machineOf({ become: 'none', ...(typeof ssh === 'string' ? { ssh } : {}) });
}

/** All that the file calls it, clusters left out. */
function namesOf(tree: Located, machine: string): string[] {
  return entriesAt(tree, ['hosts'])
    .map(([name]) => name)
    .filter((name) => !isCluster(tree, name) && machineOfHost(tree, name) === machine);
}

/** A name of this machine among the hosts. */
function localName(tree: Located): string {
  return namesOf(tree, thisMachine)[0] ?? thisMachine;
}

function listeners(tree: Located): Claim[] {
  const gateway = pieceAt(tree, ['gateway', 'listen']);
  const consoleListen = pieceAt(tree, ['console', 'listen']);
  const pieces: [Located, string][] = [
    ...(gateway?.content.kind === 'list' ? gateway.content.items : []).map((piece): [Located, string] => [
      piece,
      'the gateway',
    ]),
    ...(consoleListen ? [[consoleListen, 'the console'] as [Located, string]] : []),
  ];
  const host = localName(tree);
  return pieces.flatMap(([piece, by]) => {
    const text = scalarAt(piece, []);
    const [, address = '', digits] = /^\[?(.*?)\]?:(\d+)$/.exec(typeof text === 'string' ? text : '') ?? [];
    const port = Number(digits ?? 0);
    // A name may be of any address.
    return port > 0 ? [{ host, port, address: ipVersion(address) === 0 ? '*' : address, piece, by }] : [];
  });
}

function pinned(tree: Located): Claim[] {
  return entriesAt(tree, ['deployments']).flatMap(([name, deployment]) => {
    const piece = pieceAt(deployment, ['port']);
    const port = scalarAt(deployment, ['port']);
    if (!piece || typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535) return [];
    const host = hostOf(tree, deployment);
    return isCluster(tree, host) ? [] : [{ host, port, address: '*', piece, by: name }];
  });
}

function reserved(tree: Located, host: string): unknown[] {
  const list = pieceAt(tree, ['hosts', host, 'reserve'])?.content;
  return list?.kind === 'list' ? list.items.map((item) => scalarAt(item, [])) : [];
}

function sharedByReplicas(tree: Located): ConfigFault[] {
  return entriesAt(tree, ['deployments']).flatMap(([, deployment]) => {
    const replicas = scalarAt(deployment, ['replicas']);
    const port = pieceAt(deployment, ['port']);
    if (!port || typeof replicas !== 'number' || replicas < 2 || replicas > 64) return [];
    if (isCluster(tree, hostOf(tree, deployment))) return [];
    return [
      fault(
        port,
        port.keyAt,
        `${replicas} replicas cannot share one port.`,
        "Remove the port: each replica takes one from the host's pool.",
      ),
    ];
  });
}
