import type { RequestRecord } from '../../domain/run/record.ts';
import type { RunSpec } from '../../domain/run/spec.ts';
import type { Exchange, TimedClient } from '../../io/timed-request.ts';
import type { BenchPrompt, PromptSource } from '../contract.ts';
import type { Drain } from './drain.ts';
import { makeRecord } from '../report/make-record.ts';
import { endpointOf } from '../run/run-endpoint.ts';
import type { Planned } from '../report/make-record.ts';
import type { StageState } from './stage-state.ts';

export interface StageInput {
  readonly index: number;
  readonly spec: RunSpec;
  readonly source: PromptSource;
  /** First request number of the stage; numbers go on over the stages, so that no prompt comes twice. */
  readonly firstId: number;
}

/** What a stage acts through. `now` is the run's monotonic clock in µs. */
export interface StagePorts {
  readonly client: TimedClient;
  readonly now: () => number;
  readonly request: (prompt: ReturnType<PromptSource['at']>) => {
    path: string;
    headers: Record<string, string>;
    body: Buffer;
  };
  readonly onRecord: (record: RequestRecord) => void;
  /** Aborts the run: nothing more is admitted and what is in flight is cut. */
  readonly signal: AbortSignal;
}

/** Where a request belongs and when it was due. */
export interface Start {
  readonly stream: number;
  readonly phase: 'warmup' | 'measured';
  readonly scheduled: number;
  /** Of its own; absent: the next one of the source. */
  readonly prompt?: BenchPrompt;
  /** The turn of a conversation that it is; then its record is given with the text of the answer. */
  readonly session?: { readonly number: number; readonly turn: number };
}

export interface Sent {
  readonly exchange: Exchange;
  /** When the answer has been read, which may be a moment later. */
  readonly record: Promise<RequestRecord>;
}

export interface Sender {
  readonly send: (start: Start) => Promise<Sent>;
  /** Resolves when every record has been given out. */
  readonly settled: () => Promise<void>;
}

/** Sends the requests of one stage, counts them in `state`, and turns each into a record off the hot path. */
export function createSender(
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal },
): Sender {
  const { state, drain, signal } = live;
  const parsing = createBacklog();
  let id = input.firstId;

  async function send({ stream, phase, scheduled, ...start }: Start): Promise<Sent> {
    const prompt = start.prompt ?? input.source.at(id);
    const planned: Planned = {
      id,
      stage: input.index,
      phase,
      stream,
      scheduled,
      askedPrompt: prompt.promptTokens,
      askedOutput: prompt.outputTokens,
      askedInputs: endpointOf(input.spec).inputs(prompt),
      streamed: input.spec.stream,
      keepText: input.spec.keepOutputs || start.session !== undefined,
      ...(start.session && { session: start.session }),
      read: endpointOf(input.spec).read,
    };
    id += 1;
    state[phase] += 1;
    if (phase === 'measured') {
      state.measuredSince ??= scheduled;
      drain.startLimit();
    }
    state.inFlight += 1;
    const exchange = await ports.client.send({
      ...ports.request(prompt),
      timeoutMs: input.spec.timeoutSeconds * 1000,
      signal,
    });
    state.inFlight -= 1;
    state.failedInRow = exchange.fault || exchange.status !== 200 ? state.failedInRow + 1 : 0;
    return { exchange, record: parsing.add(() => settle(planned, exchange)) };
  }

  function settle(planned: Planned, exchange: Exchange): RequestRecord {
    const record = makeRecord(planned, exchange);
    if (planned.phase === 'measured') state.done += 1;
    if (record.outcome !== 'ok' && record.outcome !== 'censored') state.failed += 1;
    const bare = input.spec.keepOutputs || record.text === null ? record : { ...record, text: null };
    ports.onRecord(bare);
    return record;
  }

  return { send, settled: parsing.empty };
}

/**
 * Work that can wait: one piece a turn of the event loop, so that what the sockets bring is stamped in between. Streams
 * that end together would otherwise have all their answers parsed while those after them come in.
 */
function createBacklog(): { add: <T>(work: () => T) => Promise<T>; empty: () => Promise<void> } {
  const waiting: (() => void)[] = [];
  let next = 0;
  let running: Promise<void> | null = null;
  async function run(): Promise<void> {
    while (next < waiting.length) {
      await new Promise((resolve) => setImmediate(resolve));
      waiting[next]?.();
      next += 1;
    }
    waiting.length = 0;
    next = 0;
    running = null;
  }
  return {
    add: (work) => {
      const done = new Promise<ReturnType<typeof work>>((resolve, reject) => {
        waiting.push(() => {
          try {
            resolve(work());
          } catch (error) {
            reject(error);
            throw error;
          }
        });
      });
      running ??= run();
      // A fault is told by `empty`, and to whoever waits for this one.
      running.catch(() => {});
      done.catch(() => {});
      return done;
    },
    empty: async () => {
      await running;
    },
  };
}
