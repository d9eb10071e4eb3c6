import type { ObservedContainer, ObservedHost, ObservedUnit } from '../../domain/audit/observation.ts';
import { listenPort } from '../../domain/audit/server-port.ts';
import { listenAddress, meet } from '../../domain/audit/listen-address.ts';
import { sharedPorts } from './shared-ports.ts';
import type { Found, Rule } from './contract.ts';
import { perHost } from './contract.ts';

export const portConflict: Rule = {
  id: 'port-conflict',
  severity: 'warning',
  finds:
    'two definitions on one machine (units, containers by what they publish or in its network) that want the same address and port, or two servers that both have it',
  why: 'Only one of them can start; after a reboot it may be the other one.',
  find: ({ hosts }) =>
    perHost(hosts, (host) => {
      const defined = onHost(host);
      return [...defined, ...sharedPorts(host, defined)];
    }),
};

interface Place {
  readonly address: string;
  readonly port: number;
}

/** What wants ports of the machine: now, or as soon as it boots. */
interface Wants {
  readonly name: string;
  readonly state: string;
  readonly places: readonly Place[];
  readonly unit?: ObservedUnit;
  readonly container?: ObservedContainer;
}

function onHost(host: ObservedHost): Found[] {
  const wants = [...host.units.flatMap(ofUnit), ...host.containers.flatMap(ofContainer)];
  return wants.flatMap((one, at) => {
    const others = wants.slice(at + 1).filter((other) => !isItsContainer(one, other) && !isApart(one, other));
    const other = others.find((next) => clash(one, next) !== null);
    const shared = other && clash(one, other);
    if (!shared) return [];
    return [
      {
        object: `${one.name} and ${other.name}`,
        names: [one.name, other.name],
        message: `Both want port ${shared[0].port} of this machine.`,
        evidence: [one, other].map(
          ({ name, state }, side) => `${name} (${state}): ${shared[side]?.address}:${shared[side]?.port}`,
        ),
        cure: 'Give one of them another port, or keep the one that is not wanted from being started.',
      },
    ];
  });
}

/** Units that are there for a container: one that publishes nothing has its port to itself. */
const containerUnits = ['quadlet', 'container-run'];

function ofUnit(unit: ObservedUnit): Wants[] {
  if (unit.enabled !== true && unit.active !== 'active') return [];
  if (containerUnits.includes(unit.madeBy ?? '') && unit.starts.port === null) return [];
  return [{ name: unit.name, state: unit.active, places: placesOf(unit), unit }];
}

function ofContainer(container: ObservedContainer): Wants[] {
  if (!isStarted(container)) return [];
  const places = container.shares.includes('network') ? placesOf(container) : fixedIn(container);
  return [{ name: `container ${container.name}`, state: container.state, places, container }];
}

/** A port that its daemon picked is another one next time. */
function fixedIn({ published }: ObservedContainer): Place[] {
  return published.filter(({ picked }) => picked !== true);
}

/** Of what has ended, a daemon starts at boot what it always keeps up; and what it could not start is wanted all the same. */
function isStarted({ state, restartPolicy, error }: ObservedContainer): boolean {
  if (['running', 'restarting', 'paused'].includes(state)) return true;
  return restartPolicy === 'always' || (error !== null && restartPolicy !== 'no');
}

/** Where nothing is said, and no file or variable that is not seen may say it, its engine's own. */
function placesOf({ starts }: Pick<ObservedUnit, 'starts'>): Place[] {
  const port = listenPort(starts);
  return port === null ? [] : [{ address: listenAddress(starts.host, starts.engine), port }];
}

/** A unit that starts a container, which is seen beside it. */
function isItsContainer({ unit }: Wants, { container }: Wants): boolean {
  if (!unit || !container) return false;
  if (container.managedBy === `unit ${unit.name}` || unit.container === container.name) return true;
  const [its, seen] = [unit.starts, container.starts];
  return unit.madeBy === 'container-run' && its.engine === seen.engine && its.model === seen.model;
}

/** In another network namespace, or never at one time. */
function isApart(one: Wants, other: Wants): boolean {
  const [a, b] = [one.unit, other.unit];
  const ends = (a?.conflicts.includes(other.name) ?? false) || (b?.conflicts.includes(one.name) ?? false);
  return ends || (a?.network ?? null) !== (b?.network ?? null);
}

function clash(one: Wants, other: Wants): readonly [Place, Place] | null {
  const pairs = one.places.flatMap((a) => other.places.map((b) => [a, b] as const));
  return pairs.find(([a, b]) => a.port === b.port && meet(a.address, b.address)) ?? null;
}
