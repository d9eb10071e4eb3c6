// Looks at the server's side of a benchmark from a process of its own: its metrics, GPUs, processor and memory.
// The first line of stdin is the job, each later one a command; prints one JSON line for each thing seen.
// Ends when stdin closes.
import { createInterface } from 'node:readline';
import { createWatcher } from '../bench/server/watch.ts';
import type { Watcher } from '../bench/server/watch.ts';
import { WatchJob } from '../bench/server/watch-protocol.ts';
import type { WatchMessage } from '../bench/server/watch-protocol.ts';
import { localWorld } from '../io/local-world.ts';

const ending = new AbortController();
const world = localWorld();
let watcher: Watcher | null = null;
// An interrupt from the terminal reaches the whole group; the load generator says when there is nothing more to see.
process.on('SIGINT', () => {});
process.stdout.on('error', () => process.exit(0));

function print(message: WatchMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function begin(line: string): Promise<void> {
  const job = WatchJob.parse(JSON.parse(line));
  const begun = createWatcher(world, job, ending.signal);
  watcher = begun;
  print({ type: 'facts', facts: await begun.facts() });
  while (!ending.signal.aborted) {
    await world.clock.sleep(job.periodMs, ending.signal).catch(() => {});
    if (!ending.signal.aborted) print({ type: 'sample', asked: false, sample: await begun.sample() });
  }
}

async function command(line: string): Promise<void> {
  if (line === 'sample') print({ type: 'sample', asked: true, sample: (await watcher?.sample()) ?? null });
  if (line === 'hash') print({ type: 'hash', sha256: (await watcher?.hashModel()) ?? null });
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => void (watcher === null ? begin(line) : command(line)));
input.on('close', () => {
  ending.abort();
  process.exit(0);
});
