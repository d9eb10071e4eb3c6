import { join } from 'node:path';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { Wanted } from '../../domain/plan.ts';
import { RanStates } from '../../domain/ran-states.ts';
import type { RanState } from '../../domain/ran-states.ts';
import type { World } from '../../io/world.ts';
import { sameValue } from './differences.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';

export interface Place {
  readonly deployment: string;
  readonly replica: number;
}

/** The one that runs and the one before it. */
const kept = 2;

/** What ran in this place, as the host keeps it beside the engine's log; a file that is missing or broken tells nothing. */
export async function readRan(host: World, fleet: FleetIdentity, place: Place): Promise<RanState[]> {
  const text = await host.files.read(pathOf(host, fleet, place));
  try {
    return text === null ? [] : (RanStates.safeParse(JSON.parse(text)).data?.states ?? []);
  } catch {
    return [];
  }
}

/**
 * Keeps what runs in this place, or ran until now, beside what ran before it. The same once more, as a restart brings it,
 * pushes nothing out. Whole or not at all, and readable by its user alone.
 */
export async function keepRan(
  host: World,
  { fleet, place, state }: { fleet: FleetIdentity; place: Place; state: RanState },
): Promise<void> {
  const before = await readRan(host, fleet, place);
  const states = withState(before, state);
  if (sameValue(before, states)) return;
  const file: RanStates = { version: 1, states };
  await host.files.write(pathOf(host, fleet, place), `${JSON.stringify(file, null, 2)}\n`, 0o600);
}

export function ranFolder(host: World, fleet: FleetIdentity): string {
  return join(fleetPaths(host, fleet).state, 'ran');
}

function pathOf(host: World, fleet: FleetIdentity, { deployment, replica }: Place): string {
  return join(ranFolder(host, fleet), `${deployment}-${replica}.json`);
}

/** Pure. */
export function withState(states: readonly RanState[], state: RanState): RanState[] {
  const last = states.at(-1);
  if (last && isSame(last, state))
    return [...states.slice(0, -1), { ...last, port: state.port, pinned: last.pinned || state.pinned }];
  return [...states.filter((one) => !isSame(one, state)), state].slice(-kept);
}

/** The newest that is not the one that runs now. Pure. */
export function stateBefore(states: readonly RanState[], now: Omit<RanState, 'at'> | null): RanState | null {
  // A mark does not say whether its port was named in the file; what was kept does.
  const known = now && (states.find((one) => one.port === now.port && isSame(one, now)) ?? now);
  return states.findLast((one) => known === null || !isSame(one, known)) ?? null;
}

/** A port of the pool changes with every replacement beside the old engine: that alone is no other state. */
function isSame(a: Omit<RanState, 'at'>, b: Omit<RanState, 'at'>): boolean {
  const otherPort = a.port !== b.port && a.pinned && b.pinned;
  return !otherPort && sameValue(a.spec, b.spec) && sameValue(a.target, b.target);
}

/** Of an engine that is there; whether the file had named its port is not known. */
export function stateOfMark(mark: Mark, { startedAt }: Instance, otherwise: string): RanState {
  const { target, address, port, declared, spec } = mark;
  return { at: startedAt ?? otherwise, target, address, port, pinned: false, declared, spec };
}

export function stateOfWanted(
  { target, address, port, pinned, declared, spec }: Wanted,
  at: string,
): RanState {
  return { at, target, address, port, pinned: pinned ?? false, declared, spec };
}
