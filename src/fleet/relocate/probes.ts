import type { Mark } from '../../domain/instance.ts';
import type { Plan } from '../../domain/plan.ts';
import type { World } from '../../io/world.ts';
import { askEngine } from '../apply/ready.ts';
import { worldOn } from '../file/hosts.ts';
import { instancesOf, observe } from '../observe/observe.ts';
import type { Counts } from './verdict.ts';

const patienceMs = 60_000;

/** An engine that berth itself asks for a token now and then. */
export interface Probed {
  readonly world: World;
  readonly mark: Mark;
}

/** The engine of a replica on that host and port; null where none of the fleet is there. */
export async function probedAt(
  world: World,
  plan: Plan,
  { host, deployment, replica, port }: { host: string; deployment: string; replica: number; port: number },
): Promise<Probed | null> {
  const there = await worldOn(world, plan.hosts[host]);
  const found = instancesOf(await observe(there), plan).find(
    ({ alive, mark }) =>
      alive && mark?.deployment === deployment && mark.replica === replica && mark.port === port,
  );
  return found?.mark ? { world: there, mark: found.mark } : null;
}

/** So many questions, one after the other: its times to a token, and how it failed. Null: it is none that can be asked. */
export async function probe(
  { world, mark }: Probed,
  { times, signal }: { times: number; signal: AbortSignal },
): Promise<Counts | null> {
  const counts = { good: 0, failed: 0, faults: {} as Record<string, number>, ttftMs: [] as number[] };
  for (let at = 0; at < times; at += 1) {
    const since = world.clock.now();
    const answer = await askEngine(world, { mark, signal, timeoutMs: patienceMs });
    if (!answer) return null;
    if (answer.fault === null) {
      counts.good += 1;
      counts.ttftMs.push(world.clock.now() - since);
    } else if (answer.status !== 429) {
      counts.failed += 1;
      counts.faults[answer.fault] = (counts.faults[answer.fault] ?? 0) + 1;
    }
  }
  return counts;
}
