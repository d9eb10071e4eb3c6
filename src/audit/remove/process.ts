import { join } from 'node:path';
import { z } from 'zod';
import { BerthError } from '../../domain/errors/berth-error.ts';
import { keeperOf } from '../../domain/keeper.ts';
import type { ProcessEntry } from '../../domain/process-facts.ts';
import { redact } from '../../domain/command-line/redact.ts';
import { recognize } from '../../engines/registry.ts';
import { readBootId, readProcess, readProcessTable } from '../../io/procfs.ts';
import type { World } from '../../io/world.ts';
import { markedOn } from '../../targets/registry.ts';
import type { Found, Removable } from './contract.ts';

const graceMs = 20_000;
const pollMs = 100;

const Definition = z.object({
  pid: z.int(),
  argv: z.array(z.string()).min(1),
  env: z.record(z.string(), z.string()),
  cwd: z.string(),
});

/** A server that somebody started by hand; what a unit, container or pod keeps is removed by that. */
export const process: Removable = {
  kind: 'process',
  example: 'process:4711',
  inCluster: false,
  find: findProcess,
  restore: async (world, definition) => {
    const { pid, argv, env, cwd } = Definition.parse(definition);
    const logFile = join(world.places.state, 'removed', `process-${pid}.log`);
    const started = await world.exec.detach(argv, { env, cwd, logFile });
    return `it runs again as process ${started.pid}; its output is in ${logFile}`;
  },
};

async function findProcess(world: World, name: string): Promise<Found> {
  const pid = Number(name);
  const entry = Number.isInteger(pid) && pid > 1 ? await read(world, pid) : null;
  const object = `process:${name}`;
  if (!entry || !recognize(entry)) throw new BerthError('REMOVE_UNKNOWN', { object, known: [] });
  await expectFree(world, object, entry);
  const { argv, env, cwd } = entry;
  if (env === null || cwd === null)
    throw refused(object, 'rights hide how it was started', 'Run this as its user.');
  const command = redact(argv).join(' ');
  return {
    what: `process ${pid}: ${command.length > 160 ? `${command.slice(0, 160)}…` : command}`,
    loses: null,
    definition: { pid, argv, env, cwd },
    remove: () => end(world, entry),
  };
}

async function expectFree(world: World, object: string, entry: ProcessEntry): Promise<void> {
  const { kind, name } = keeperOf(entry, readProcessTable(await world.procfs()));
  if (kind === 'system-unit' || kind === 'user-unit')
    throw refused(
      object,
      `the unit ${name} keeps it`,
      `Name that: "berth remove ${kind === 'user-unit' ? 'user-unit' : 'unit'}:${name}".`,
    );
  if (kind === 'container' || kind === 'pod')
    throw refused(
      object,
      `it runs in the ${kind} ${name}`,
      `Name the ${kind === 'pod' ? 'object that made the pod' : 'container'}.`,
    );
  if (kind === 'supervisor')
    throw refused(object, `${name} keeps it, and would start it again`, `Have ${name} stop it.`);
  const { instances } = await markedOn(world);
  const own = instances.find((one) => one.process?.pid === entry.pid);
  if (own?.mark)
    throw refused(object, `it belongs to fleet ${own.mark.fleet}`, 'Use "berth down" or "berth disown".');
  if (entry.uid !== world.uid)
    throw refused(object, 'it belongs to another user', 'Run this as that user, who can start it again.');
}

function refused(object: string, reason: string, cure: string): BerthError {
  return new BerthError('REMOVE_REFUSED', { object, reason, cure });
}

async function read(world: World, pid: number): Promise<ProcessEntry | null> {
  return readProcess(await world.procfs([pid]), pid);
}

/** Pids are used again: every signal goes to the very process that was named. */
async function end(world: World, { pid, startTicks }: ProcessEntry): Promise<void> {
  const bootId = readBootId(await world.procfs([pid]));
  async function isThere(): Promise<boolean> {
    const proc = await world.procfs([pid]);
    return readBootId(proc) === bootId && readProcess(proc, pid)?.startTicks === startTicks;
  }
  const until = world.clock.now() + graceMs;
  await world.exec.kill(pid, 'SIGTERM', startTicks);
  while (await isThere()) {
    if (world.clock.now() > until) await world.exec.kill(pid, 'SIGKILL', startTicks);
    await world.clock.sleep(pollMs);
  }
}
