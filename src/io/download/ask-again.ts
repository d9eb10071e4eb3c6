import { waitOf } from './wait-of.ts';
import type { HttpReply } from '../http.ts';
import type { Clock } from '../clock.ts';

const mostTries = 4;
/** A server that sends us away for longer is not waited for. */
const longestWaitMs = 30_000;

/** Asks for a list again, after a while each time, as long as its server is too busy or ill to answer; the last answer stands. */
export async function askAgain(
  clock: Pick<Clock, 'sleep' | 'wall'>,
  signal: AbortSignal,
  ask: () => Promise<HttpReply>,
): Promise<HttpReply> {
  for (let tries = 1; ; tries += 1) {
    const reply = await ask();
    const busy = reply.status === 429 || reply.status >= 500;
    const asked = waitOf(reply.headers, clock.wall());
    if (!busy || tries === mostTries || asked > longestWaitMs) return reply;
    await clock.sleep(Math.max(250 * 2 ** tries, asked), signal);
  }
}
