import { BerthError } from '../../domain/errors/berth-error.ts';
import { machineOf } from '../../domain/host-access.ts';
import { targetOf, targets } from '../../targets/registry.ts';
import type { Deployment, LoadedFleet } from '../file/resolve.ts';
import { setField } from './set-field.ts';

/** A place where a deployment can run. */
export interface Destination {
  readonly host: string;
  readonly target: string;
}

type Place = Pick<Deployment, 'host' | 'target'>;
type Hosts = LoadedFleet['hosts'];

export function placeName({ host, target }: Destination): string {
  return `${host}/${target}`;
}

export function isAt({ host, target }: Place, to: Destination): boolean {
  return host === to.host && target.kind === to.target;
}

/** Every host of the file with every target that can be there, one name for each machine. Pure. */
export function destinationsOf(hosts: Hosts, now: Place): Destination[] {
  const names = Object.keys(hosts).toSorted((a, b) => Number(b === now.host) - Number(a === now.host));
  const machines = new Set<string>();
  return names.flatMap((host) => {
    const machine = machineOf(hosts[host]);
    const other = Object.keys(hosts).some((name) => name !== 'local' && machineOf(hosts[name]) === machine);
    if (machines.has(machine) || (host === 'local' && other && now.host !== 'local')) return [];
    machines.add(machine);
    return kindsOn(hosts, host).map((target) => ({ host, target }));
  });
}

/**
 * The place that somebody names as a host, a target or "HOST/TARGET". A host keeps the target where it can be there; a target is
 * looked for on the host that it runs on now, and then on the only other one that has it. Pure. Throws USAGE for anything else.
 */
export function destinationOf(hosts: Hosts, now: Place, to: string): Destination {
  const [first = '', second] = to.split('/');
  if (second !== undefined) return checked(hosts, { host: first, target: second }, to);
  const host = hosts[first];
  if (host) {
    const [usual = 'process', ...others] = kindsOn(hosts, first);
    const keeps = [usual, ...others].includes(now.target.kind);
    return { host: first, target: keeps ? now.target.kind : usual };
  }
  if (!targets.some((one) => one.kind === first)) throw unknown(hosts, to);
  if (kindsOn(hosts, now.host).includes(first)) return { host: now.host, target: first };
  const [only, ...more] = destinationsOf(hosts, now).filter((one) => one.target === first);
  if (!only) throw usage(`no host of the file can have the target ${first}`);
  if (more.length > 0) throw usage(`say on which host: ${[only, ...more].map(placeName).join(', ')}`);
  return only;
}

function checked(hosts: Hosts, place: Destination, to: string): Destination {
  if (!hosts[place.host]) throw unknown(hosts, to);
  if (kindsOn(hosts, place.host).includes(place.target)) return place;
  throw usage(`host ${place.host} has ${kindsOn(hosts, place.host).join(', ')}, and not ${place.target}`);
}

function unknown(hosts: Hosts, to: string): BerthError {
  const kinds = targets.map((one) => one.kind).join(', ');
  return usage(
    `--to takes a host (${Object.keys(hosts).join(', ')}), a target (${kinds}) or HOST/TARGET, and not "${to}"`,
  );
}

function usage(detail: string): BerthError {
  return new BerthError('USAGE', { detail, command: 'move' });
}

/** The usual one first. */
function kindsOn(hosts: Hosts, host: string): string[] {
  const isCluster = hosts[host]?.kubernetes !== undefined;
  return targets.filter((one) => 'inCluster' in one === isCluster).map((one) => one.kind);
}

/** The fleet file with a deployment at that place. What only its old target knows goes with it. Pure. */
export function movedTo(text: string, deployment: Pick<Deployment, 'name'> & Place, to: Destination): string {
  const at = ['deployments', deployment.name];
  const placed = deployment.host === to.host ? text : setField(text, [...at, 'host'], to.host);
  if (deployment.target.kind === to.target) return placed;
  return setField(placed, [...at, 'target'], { kind: to.target });
}

/** What the new place has or lacks beside the old one, each as the end of a sentence. Pure. */
export function lostAt(
  { host, target, declared }: Place & Pick<Deployment, 'declared'>,
  to: Destination,
): string[] {
  if (isAt({ host, target }, to) || target.kind === to.target) return [];
  const lost = Object.keys(declared).filter((key) => /^target\.(?!kind$)/.test(key));
  const supervises = targetOf(to.target).supervises;
  return [
    ...(lost.length > 0 ? [`what the file says of ${target.kind} alone goes: ${lost.join(', ')}`] : []),
    ...(supervises === targetOf(target.kind).supervises
      ? []
      : [`${supervises ? '' : 'not '}started again by its target after a crash and a reboot`]),
  ];
}
