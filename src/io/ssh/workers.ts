import { limiter } from './limit.ts';
import { runSession } from './session.ts';
import type { Outcome, SessionOptions } from './session.ts';
import { startWorker } from './worker.ts';
import type { Worker } from './worker.ts';

/** sshd lets ten sessions run over a connection: our own, locks and starts that are followed take theirs. */
const atOnce = 4;
/** A shell takes its input byte by byte: what is longer gets a session of its own. */
const longBytes = 32 * 1024;

interface Ends {
  readonly where: string;
  readonly socket: string;
}

/** Runs scripts over a connection, some at once, by shells that stay. */
export function createWorkers(): {
  run: (ends: Ends, script: string, options: SessionOptions) => Promise<Outcome>;
  end: () => void;
} {
  const limit = limiter(atOnce);
  const idle: { worker: Worker; socket: string }[] = [];

  async function byWorker(ends: Ends, script: string, options: SessionOptions): Promise<Outcome> {
    let found = idle.pop();
    // One of an earlier connection has ended with it.
    while (found && !(found.worker.alive() && found.socket === ends.socket)) found = idle.pop();
    const { worker } = found ?? { worker: startWorker(ends) };
    const outcome = await worker.run(script, options);
    if (worker.alive()) idle.push({ worker, socket: ends.socket });
    return outcome;
  }

  return {
    run: (ends, script, options) =>
      limit(() =>
        Buffer.byteLength(options.input ?? '') > longBytes
          ? runSession(ends, script, options)
          : byWorker(ends, script, options),
      ),
    end: () => {
      for (const { worker } of idle.splice(0)) worker.end();
    },
  };
}
