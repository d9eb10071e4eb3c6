import type { Calibration } from '../../domain/run/report.ts';
import { z } from 'zod';
import { programArgv } from '../../io/program.ts';
import type { World } from '../../io/world.ts';
import { measureFloor } from '../truth/measure-floor.ts';

const Listening = z.object({ event: z.literal('listening'), url: z.string() });

/** Measures the client's own error against a truth server in a process of its own; null when that does not start. */
export async function calibrate(
  world: World,
  streams: number,
  signal: AbortSignal,
): Promise<Calibration | null> {
  await using server = await startTruthProcess(world);
  if (!server || signal.aborted) return null;
  return await measureFloor(server.url, streams);
}

/** A truth server that ends when it is given back. */
export async function startTruthProcess(world: World): Promise<(AsyncDisposable & { url: string }) | null> {
  const child = await world.exec.start(programArgv('truth-server'));
  async function end(): Promise<void> {
    child.closeInput();
    await child.exited;
  }
  for await (const line of child.lines) {
    const parsed = Listening.safeParse(JSON.parse(line));
    if (parsed.success) return { url: parsed.data.url, [Symbol.asyncDispose]: end };
    break;
  }
  await end();
  return null;
}
