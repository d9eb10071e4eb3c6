import { waitOf } from '../io/download/wait-of.ts';
import type { World } from '../io/world.ts';
import type { Refusal } from './contract.ts';

/** What a place that is asked too much asks us to wait; null where it does not tell. */
export function secondsToWait({ clock }: Pick<World, 'clock'>, { headers }: Refusal): string | null {
  const seconds = Math.ceil(waitOf(headers, clock.wall()) / 1000);
  return seconds > 0 ? String(seconds) : null;
}
