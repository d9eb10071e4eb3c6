import { createHash, randomBytes } from 'node:crypto';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { entriesOf, JournalLine } from '../../domain/journal.ts';
import type { Effect, JournalEntry } from '../../domain/journal.ts';
import type { Plan } from '../../domain/plan.ts';
import { hostName, userName } from '../../io/machine.ts';
import type { World } from '../../io/world.ts';
import { fleetPaths } from '../file/paths.ts';
import type { FleetIdentity } from '../file/paths.ts';
import { isProcess, ownProcess } from '../up/up-state.ts';

/** Of the file that is written to; the one before it is kept as ".1". */
const maxBytes = 4 * 1024 * 1024;
const maxMessage = 300;

/** Writes down what is done to engines, before and after. */
export interface Journal {
  /**
   * Does it, and says what came of it; `act` gives the name of what came to be. A journal that cannot be written is told
   * of and keeps nothing from being done.
   */
  readonly record: <Result extends string | null>(
    effect: Effect,
    act: () => Promise<Result>,
  ) => Promise<Result>;
}

/** Who holds the lock of this machine `rotates`: two who move the file at once would lose what is in it. Anybody may add lines. */
export function openJournal(
  world: World,
  fleet: FleetIdentity,
  { command, plan, rotates = true }: { command: string; plan: string | null; rotates?: boolean },
): Journal {
  const { state, journal: path } = fleetPaths(world, fleet);
  const home = world.home ?? world;
  const by = {
    who: { uid: home.uid, user: userName(), sudoUser: home.env['SUDO_USER'] ?? null, machine: hostName() },
    process: ownProcess(home),
    command,
    plan,
  };
  let made: Promise<void> | null = null;
  async function make(): Promise<void> {
    await home.files.makeDir(state);
    if (rotates) await home.logFiles.rotate(path, maxBytes);
  }
  async function write(line: JournalLine): Promise<void> {
    try {
      await (made ??= make());
      await home.files.append(path, `${JSON.stringify(line)}\n`);
    } catch (error) {
      home.log.warn('The journal could not be written.', {
        path,
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return {
    record: async (effect, act) => {
      const id = randomBytes(6).toString('hex');
      const line = { version: 1, id } as const;
      function at(): string {
        return home.clock.wall().toISOString();
      }
      await write({ ...line, phase: 'begin', at: at(), ...by, ...effect });
      try {
        const became = await act();
        await write({ ...line, phase: 'done', at: at(), became, error: null });
        return became;
      } catch (error) {
        const { phase, fault } = endOf(error);
        await write({ ...line, phase, at: at(), became: null, error: fault });
        throw error;
      }
    },
  };
}

/** An engine's last lines are in its log; the journal has the first line of what went wrong. */
function endOf(error: unknown): {
  phase: 'failed' | 'interrupted';
  fault: { code: string; message: string } | null;
} {
  if (!(error instanceof BerthError)) return { phase: 'interrupted', fault: null };
  const [message = ''] = error.message.split('\n');
  return { phase: 'failed', fault: { code: error.code, message: message.slice(0, maxMessage) } };
}

/** Names a plan by what it does: the same for the plan that is kept in a file and the one that was printed. */
export function planId({ fleetId, basis, actions, gateways }: Plan): string {
  return createHash('sha256')
    .update(sorted({ fleetId, basis, actions, gateways }))
    .digest('hex')
    .slice(0, 12);
}

/** JSON with keys in order, so that two writings of one value are the same text. */
function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

/** What was done to this fleet, oldest first; `damaged` counts lines that cannot be read. */
export async function readJournal(
  world: World,
  fleet: FleetIdentity,
): Promise<{ path: string; entries: JournalEntry[]; damaged: number }> {
  const { journal: path } = fleetPaths(world, fleet);
  const texts = await Promise.all(
    [`${path}.1`, path].map(async (file) => (await world.files.read(file)) ?? ''),
  );
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== '')).map(lineOf);
  const known = lines.filter((line) => line !== null);
  return {
    path,
    entries: entriesOf(known, (process) => isProcess(world, process)),
    damaged: lines.length - known.length,
  };
}

/** As many effects as one command has, and then some: the rest of the journal is not read. */
const lastCount = 500;

/** The latest of what was done to this fleet, oldest first. */
export async function readLastEffects(world: World, fleet: FleetIdentity): Promise<JournalEntry[]> {
  const { lines } = await world.logFiles.last(fleetPaths(world, fleet).journal, lastCount);
  const known = lines.map(lineOf).filter((line) => line !== null);
  return entriesOf(known, (process) => isProcess(world, process));
}

function lineOf(text: string): JournalLine | null {
  try {
    return JournalLine.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
