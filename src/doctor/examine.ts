import type { World } from '../io/world.ts';
import { states } from './contract.ts';
import type { Check, State, Verdict, Wants } from './contract.ts';
import { checks } from './registry.ts';

export interface Examined {
  readonly host: string;
  readonly checks: readonly (Verdict & { readonly check: string; readonly title: string })[];
}

/** All checks of one machine or cluster, side by side. One that cannot be made says so and keeps no other from being made. */
export async function examine(world: World, host: string, wants: Wants): Promise<Examined> {
  const all: readonly Check[] = checks;
  const fitting = all.filter((check) => wants.cluster === null || check.cluster);
  const found = fitting.map(async ({ kind, title, look }) => {
    const verdicts = await look(world, wants).catch((error: unknown): readonly Verdict[] => [unseen(error)]);
    return verdicts.map((verdict) => ({ check: kind, title, ...verdict }));
  });
  return { host, checks: (await Promise.all(found)).flat() };
}

function unseen(error: unknown): Verdict {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    state: 'info',
    message: 'This could not be looked at.',
    evidence: [reason],
    cure: 'Run berth as a user who may see it.',
  };
}

/** The gravest of all. */
export function worst(examined: readonly Examined[]): State {
  const found = examined.flatMap(({ checks: verdicts }) =>
    verdicts.map(({ state }) => states.indexOf(state)),
  );
  return states[Math.max(0, ...found)] ?? 'good';
}
