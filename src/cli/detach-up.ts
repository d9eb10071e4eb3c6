import { BerthError } from '../domain/errors/berth-error.ts';
import { fleetPaths } from '../fleet/file/paths.ts';
import type { FleetIdentity } from '../fleet/file/paths.ts';
import { alreadyUp, isProcess, ownProcess, readUpState } from '../fleet/up/up-state.ts';
import type { UpState } from '../fleet/up/up-state.ts';
import { lastLines } from '../io/log-file.ts';
import { readProcess } from '../io/procfs.ts';
import type { CliContext } from './context.ts';

/** Set for a command line that runs in the background: its output is a log. */
export const inBackground = 'BERTH_IN_BACKGROUND';

const pollMs = 100;

/** Starts this very command line once more, in the background, and waits until it serves. Throws DETACHED_FAILED, ALREADY_UP. */
export async function detachUp(context: CliContext, fleet: FleetIdentity): Promise<UpState> {
  const { world } = context;
  const running = await alreadyUp(world, fleet);
  if (running) throw running;
  const paths = fleetPaths(world, fleet);
  await world.files.makeDir(paths.logs);
  const { end } = await lastLines(paths.upLog, 0);
  const argv = [process.execPath, ...process.argv.slice(1).filter((word) => word !== '--detach')];
  const env = Object.fromEntries(
    Object.entries(world.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
  const { pid } = await world.exec.detach(argv, {
    env: { ...env, [inBackground]: '1' },
    cwd: context.cwd,
    logFile: paths.upLog,
  });
  const entry = readProcess(world.proc, pid);
  const id = { ...ownProcess(world), pid, startTicks: entry?.startTicks ?? 0 };
  const told = new AbortController();
  void tellWaiting(context, { path: paths.upLog, from: end, signal: told.signal });
  try {
    while (isProcess(world, id)) {
      const state = await readUpState(world, fleet);
      if (state?.process.pid === pid) return state;
      await world.clock.sleep(pollMs, context.signal);
    }
  } finally {
    told.abort();
  }
  // Another one may have come first since.
  const other = await alreadyUp(world, fleet);
  if (other) throw other;
  const { lines } = await lastLines(paths.upLog, 30, end);
  throw new BerthError('DETACHED_FAILED', { log: lines, logFile: paths.upLog });
}

/** Another change of a machine's engines may take long: of all that it writes there, whom it waits for is told here too. */
async function tellWaiting(
  { world, output }: CliContext,
  { path, ...how }: { path: string; from: number; signal: AbortSignal },
): Promise<void> {
  for await (const line of world.logFiles.follow(path, how))
    if (/^(Still w|W)aiting for /.test(line)) output.progress(line);
}
