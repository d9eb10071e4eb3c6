import { parseJson } from '../../domain/json.ts';
import type { GatewayReload, Reason } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths } from '../file/paths.ts';
import type { LoadedFleet } from '../file/resolve.ts';
import type { WrittenGateway } from '../file/written-gateway.ts';
import { readUpState } from '../up/up-state.ts';
import { sameValue } from './differences.ts';

/** What the gateway of a running `berth up` would take over; null where none runs, or one of other files. */
export async function gatewayReload(world: World, loaded: LoadedFleet): Promise<GatewayReload | null> {
  const up = await readUpState(world, loaded);
  if (!up?.gateway || up.files.at(-1) !== loaded.files.at(-1)?.path) return null;
  const text = await world.files.read(fleetPaths(world, loaded).taken);
  const taken = text === null ? null : parseJson(text);
  if (!isPlain(taken)) return null;
  const reasons = takenOver(taken, loaded.written);
  return { do: reasons.length > 0 ? 'reload' : 'keep', url: up.gateway.url, reasons };
}

/** Objects above this depth are looked into although one side lacks them: "gateway.limits.queue" says more than "gateway.limits". */
const alwaysOpen = 2;
const longestShown = 80;

/** What the files say otherwise than what is in force, a reason each. Pure. */
export function takenOver(before: object, now: WrittenGateway): Reason[] {
  return differences(before, now, []);
}

function differences(before: unknown, now: unknown, path: readonly string[]): Reason[] {
  if (sameValue(before, now)) return [];
  const [a, b] = [opened(before, now, path), opened(now, before, path)];
  if (a && b)
    return [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .toSorted()
      .flatMap((key) => differences(a[key], b[key], [...path, key]));
  const field = path.join('.');
  return [{ field, text: `${field}: ${change(before, now)}` }];
}

/** Its fields, where they are compared one by one. */
function opened(value: unknown, other: unknown, path: readonly string[]): Record<string, unknown> | null {
  if (isPlain(value)) return value;
  const open = path.length <= (path[0] === 'experiments' ? 1 : alwaysOpen);
  return open && value === undefined && isPlain(other) ? {} : null;
}

function change(before: unknown, now: unknown): string {
  const [was, is] = [shown(before), shown(now)];
  if (was.length + is.length <= longestShown) return `${was} → ${is}`;
  return before === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
}

function shown(value: unknown): string {
  if (value === undefined) return '(not set)';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
