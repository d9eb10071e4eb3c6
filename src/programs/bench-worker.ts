// The load generator, in a process of its own so that nothing else holds up its event loop.
// Reads one line, the job, from stdin; prints progress, one JSON line each, and at last what the report needs.
// A closed stdin, SIGTERM or SIGINT end the run early; what was measured is kept.
import { createInterface } from 'node:readline';
import { runWorker } from '../bench/load/worker.ts';
import { lockRun } from '../bench/run/run-lock.ts';
import { WorkerJob } from '../bench/load/worker-protocol.ts';
import { BerthError } from '../domain/errors/berth-error.ts';
import { localWorld } from '../io/local-world.ts';
import { resolveSecret } from '../io/secret-values.ts';

const interrupt = new AbortController();
process.on('SIGTERM', () => interrupt.abort()).on('SIGINT', () => interrupt.abort());
// Without a reader there is nobody to work for.
process.stdout.on('error', () => interrupt.abort());

function print(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

const input = createInterface({ input: process.stdin });
input.on('close', () => interrupt.abort());
input.once('line', (line) => void work(line));

async function work(line: string): Promise<void> {
  const world = localWorld();
  const job = WorkerJob.parse(JSON.parse(line));
  // Held to the very end of this process: who wants to go on with the run must not find it at work.
  const lock = await lockRun(job.folder);
  if (!lock) throw new BerthError('RUN_GOES_ON', { run: job.id });
  const { key, engineKey } = job.spec.target;
  const resolved = key === null ? null : await resolveSecret(world, key);
  const end = await runWorker(world, job, {
    emit: print,
    signal: interrupt.signal,
    key: resolved,
    engineKey: !engineKey ? resolved : await resolveSecret(world, engineKey),
  });
  print(end);
  input.close();
}
