import { BerthError } from '../../domain/errors/berth-error.ts';
import { plural } from '../../domain/format.ts';
import { sameObject } from '../../domain/instance.ts';
import type { Instance, Mark } from '../../domain/instance.ts';
import type { World } from '../../io/world.ts';
import { targetOf } from '../../targets/registry.ts';
import { bestEffort } from './best-effort.ts';
import { hostNameOf, worldOfHost, worldOfInstance } from '../file/hosts.ts';
import type { Hosts } from '../file/hosts.ts';
import type { Journal } from './journal.ts';
import { urlOf } from './ready.ts';
import { settleAll } from './settle-all.ts';
import type { Traffic } from './traffic.ts';

export interface Ending {
  readonly instances: readonly Instance[];
  readonly hosts: Hosts;
  readonly traffic: Traffic;
  readonly journal: Journal;
  /** Why, for the journal. */
  readonly reason: string;
  /** How long requests under way may take; 0: as long as the gateway gives them by itself. */
  readonly patienceMs: number;
  /** Those whose requests have ended already. */
  readonly waited?: readonly Instance[];
  /** Ends the waiting: what still runs gets requests again. */
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

/** Beyond the waiting, so that one who dies over it leaves no engine shut for ever. */
const drainMs = 120_000;

/**
 * Ends engines side by side: each gets no new request first, and its open ones their time. A running control process then forgets
 * them, so that it starts none again; whoever calls this holds the hosts' locks, which keeps it from doing so in between.
 */
export async function endEngines(world: World, ending: Ending): Promise<void> {
  const { hosts, journal, reason, onProgress } = ending;
  const marked = ending.instances.flatMap((one) => (one.mark ? [{ one, mark: one.mark }] : []));
  const move = bestEffort(ending);
  const ends = await Promise.allSettled(
    marked.map(async ({ one, mark }) => {
      const { deployment, replica } = mark;
      const { name: object } = one.object;
      if (!ending.waited?.some((other) => sameObject(other.object, one.object)))
        await emptied(world, { mark, machine: one.host, object, move, ending });
      onProgress(`Stopping ${deployment} (${object})`);
      const host = hostNameOf(hosts, one);
      await journal.record({ do: 'stop', host, deployment, replica, object, reasons: [reason] }, async () => {
        const there = await worldOfInstance(world, hosts, one);
        // What ran before is for whoever starts it again; who ends it for good takes that away.
        await targetOf(mark.target.kind).remove(there, one, { ...mark.spec.stop, settles: true });
        return null;
      });
    }),
  );
  const ended = marked.filter((_, at) => ends[at]?.status === 'fulfilled');
  await settleAll(
    ended.map(({ one, mark }) => ({ target: mark.target.kind, host: hostNameOf(hosts, one) })),
    {
      worldOf: (name) => worldOfHost(world, hosts, name),
      onProgress,
    },
  );
  if (ends.some((end) => end.status === 'fulfilled')) await move({ do: 'shift', to: null });
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

type Waiting = Omit<Ending, 'journal' | 'reason'>;

/** Has engines get no new requests, and waits until those that they have have ended. An interrupt lets all of them have requests again. */
export async function emptyEngines(world: World, ending: Waiting): Promise<void> {
  const move = bestEffort(ending);
  const ends = await Promise.allSettled(
    ending.instances.map(async (one) => {
      if (one.mark)
        await emptied(world, { mark: one.mark, machine: one.host, object: one.object.name, move, ending });
    }),
  );
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Lets engines that were to end have requests again. */
export async function refillEngines(
  ending: Pick<Ending, 'instances' | 'traffic' | 'onProgress'>,
): Promise<void> {
  const move = bestEffort(ending);
  for (const { mark, host: machine } of ending.instances)
    if (mark) await move({ do: 'resume', url: urlOf(mark), machine });
}

interface Emptying {
  readonly mark: Mark;
  readonly machine: string;
  readonly object: string;
  readonly move: Traffic;
  readonly ending: Waiting;
}

/** Waits until its requests have ended. An interrupt lets requests in again. Throws ENDING_INTERRUPTED. */
async function emptied(world: World, one: Emptying): Promise<void> {
  const { mark, machine, object, move, ending } = one;
  try {
    await waitEmpty(world, one);
    ending.signal.throwIfAborted();
  } catch (error) {
    if (!ending.signal.aborted) throw error;
    await move({ do: 'resume', url: urlOf(mark), machine });
    throw new BerthError('ENDING_INTERRUPTED', { deployment: mark.deployment, object }, { cause: error });
  }
}

async function waitEmpty(world: World, { mark, machine, object, move, ending }: Emptying): Promise<void> {
  const { patienceMs, signal, onProgress } = ending;
  const until = world.clock.now() + patienceMs;
  const forMs = patienceMs + drainMs + mark.spec.stop.graceMs;
  for (let told = false; !signal.aborted; told = true) {
    const { left } = await move({ do: 'drain', url: urlOf(mark), machine, forMs });
    if (left === 0) return;
    const late = world.clock.now() >= until;
    const then = late ? ', which are cut off' : '; waiting for them';
    if (late || !told)
      onProgress(`${mark.deployment} (${object}) still serves ${plural(left, 'request')}${then}`);
    if (late) return;
  }
}
