import { join } from 'node:path';
import type { EngineFacts } from '../../domain/run/engine-facts.ts';
import { ServerSample } from '../../domain/run/server-sample.ts';
import type { Child } from '../../io/child.ts';
import type { Files } from '../../io/files.ts';
import { programArgv } from '../../io/program.ts';
import type { World } from '../../io/world.ts';
import { WatchMessage } from './watch-protocol.ts';
import type { WatchJob, watchCommands } from './watch-protocol.ts';

/** The watching process as the load generator holds it. Nothing here rejects: what is not seen is unknown. */
export interface ServerWatch extends AsyncDisposable {
  /** Null when it could not be found out in time. */
  readonly facts: () => Promise<EngineFacts | null>;
  /** Takes a sample now, so that a stage has one at both ends. */
  readonly mark: () => Promise<void>;
  /** The samples from a moment of the run's clock on. */
  readonly since: (at: number) => ServerSample[];
  /** SHA-256 of the model's file; reads all of it, so it is asked for when nothing is measured any more. */
  readonly hashModel: (signal: AbortSignal) => Promise<string | null>;
}

/** How often the server is looked at between the marks. */
const periodMs = 1000;
const patienceMs = { facts: 15_000, mark: 6000 } as const;

export function samplesPath(folder: string): string {
  return join(folder, 'server.jsonl');
}

/** Starts to watch; each sample goes into the run's folder as it comes. */
export async function startServerWatch(
  world: World,
  folder: string,
  job: Omit<WatchJob, 'periodMs'>,
): Promise<ServerWatch> {
  const child = await world.exec.start(programArgv('bench-watch'));
  child.write(`${JSON.stringify({ ...job, periodMs } satisfies WatchJob)}\n`);
  const samples: ServerSample[] = [];
  const heard = createMailbox();
  void listen(child, (message) => {
    if (message.type === 'sample' && message.sample) {
      samples.push(message.sample);
      const line = `${JSON.stringify(message.sample)}\n`;
      world.files.append(samplesPath(folder), line).catch(() => {});
    }
    if (message.type !== 'sample' || message.asked) heard.put(message);
  }).finally(heard.close);
  function ask(command: (typeof watchCommands)[number]): void {
    child.write(`${command}\n`);
  }
  return {
    facts: async () => {
      const found = await heard.take('facts', AbortSignal.timeout(patienceMs.facts));
      return found?.facts ?? null;
    },
    mark: async () => {
      ask('sample');
      await heard.take('sample', AbortSignal.timeout(patienceMs.mark));
    },
    since: (at) => samples.filter((sample) => sample.at >= at),
    hashModel: async (signal) => {
      ask('hash');
      return (await heard.take('hash', signal))?.sha256 ?? null;
    },
    [Symbol.asyncDispose]: async () => {
      child.closeInput();
      await child.exited;
    },
  };
}

async function listen(child: Child, hear: (message: WatchMessage) => void): Promise<void> {
  for await (const line of child.lines) {
    const parsed = WatchMessage.safeParse(JSON.parse(line));
    if (parsed.success) hear(parsed.data);
  }
}

type Kind = WatchMessage['type'];

/** Messages wait here until somebody takes one of their kind. */
function createMailbox(): {
  put: (message: WatchMessage) => void;
  take: <K extends Kind>(kind: K, signal: AbortSignal) => Promise<Extract<WatchMessage, { type: K }> | null>;
  close: () => void;
} {
  const waiting: WatchMessage[] = [];
  const over = new AbortController();
  let told = Promise.withResolvers<void>();
  return {
    put: (message) => {
      waiting.push(message);
      told.resolve();
      told = Promise.withResolvers();
    },
    take: async <K extends Kind>(kind: K, signal: AbortSignal) => {
      const end = AbortSignal.any([signal, over.signal]);
      const ended = new Promise<void>((resolve) => {
        end.addEventListener('abort', () => resolve(), { once: true });
      });
      for (;;) {
        const at = waiting.findIndex((message) => message.type === kind);
        if (at >= 0) return waiting.splice(at, 1)[0] as Extract<WatchMessage, { type: K }>;
        if (end.aborted) return null;
        await Promise.race([told.promise, ended]);
      }
    },
    close: () => over.abort(),
  };
}

/** All samples of a run. A last line that was cut by a crash is left out. */
export async function readSamples(files: Files, folder: string): Promise<ServerSample[]> {
  const text = (await files.read(samplesPath(folder))) ?? '';
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ServerSample.parse(JSON.parse(line)));
}
