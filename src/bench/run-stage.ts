import { setTimeout as delay } from 'node:timers/promises';
import type { RequestRecord, RunSpec, Strategy } from '../domain/run.ts';
import type { Exchange, TimedClient } from '../io/timed-request.ts';
import { admit } from './admit.ts';
import type { PromptSource } from './contract.ts';
import { createDrain } from './drain.ts';
import { makeRecord } from './make-record.ts';
import type { Planned } from './make-record.ts';

export interface StageInput {
  readonly index: number;
  readonly strategy: Strategy;
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

/** Live figures of a running stage, for progress alone. */
export interface StageState {
  startedAt: number;
  warmup: number;
  measured: number;
  measuredSince: number | null;
  inFlight: number;
  done: number;
  failed: number;
  /** Faults since the last good answer. */
  failedInRow: number;
  draining: boolean;
}

export function newStageState(startedAt: number): StageState {
  return {
    startedAt,
    warmup: 0,
    measured: 0,
    measuredSince: null,
    inFlight: 0,
    done: 0,
    failed: 0,
    failedInRow: 0,
    draining: false,
  };
}

/** So many faults in a row, and no stream tries again: the server is down or refuses everything. */
const hopeless = 20;

/**
 * Runs a closed loop of streams to its limit, then waits for what is in flight, at most `drainSeconds`;
 * what is left is cut and recorded as censored. Resolves when every record has been given out.
 */
export async function runStage(input: StageInput, ports: StagePorts, state: StageState): Promise<void> {
  using drain = createDrain(input.spec, () => (state.draining = true));
  const signal = AbortSignal.any([drain.signal, ports.signal]);
  const parsing: Promise<void>[] = [];
  let id = input.firstId;

  async function stream(number: number): Promise<void> {
    for (;;) {
      const phase = admit(
        { ...state, now: ports.now(), streams: input.strategy.streams, stopped: stopped(state, ports) },
        input.spec,
      );
      if (phase === 'stop') break;
      const exchange = await one(number, phase);
      if (exchange.fault || exchange.status !== 200) {
        state.failedInRow += 1;
        await pause(Math.min(1000, 20 * 2 ** Math.min(state.failedInRow, 6)), signal);
      } else state.failedInRow = 0;
    }
    // The first stream that stops begins the drain.
    drain.begin();
  }

  async function one(number: number, phase: 'warmup' | 'measured'): Promise<Exchange> {
    const prompt = input.source.at(id);
    const planned: Planned = {
      id,
      stage: input.index,
      phase,
      stream: number,
      scheduled: ports.now(),
      askedPrompt: prompt.promptTokens,
      askedOutput: prompt.outputTokens,
      streamed: input.spec.stream,
      keepText: input.spec.keepOutputs,
    };
    id += 1;
    state[phase] += 1;
    if (phase === 'measured') {
      state.measuredSince ??= planned.scheduled;
      drain.startLimit();
    }
    state.inFlight += 1;
    const exchange = await ports.client.send({
      ...ports.request(prompt),
      timeoutMs: input.spec.timeoutSeconds * 1000,
      signal,
    });
    state.inFlight -= 1;
    parsing.push(settle(planned, exchange));
    return exchange;
  }

  /** Off the hot path: the stream sends its next request before this one's bytes are read. */
  async function settle(planned: Planned, exchange: Exchange): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    const record = makeRecord(planned, exchange);
    if (planned.phase === 'measured') state.done += 1;
    if (record.outcome !== 'ok' && record.outcome !== 'censored') state.failed += 1;
    ports.onRecord(record);
  }

  await Promise.all(Array.from({ length: input.strategy.streams }, (_, number) => stream(number)));
  await Promise.all(parsing);
}

function stopped(state: StageState, ports: StagePorts): boolean {
  return ports.signal.aborted || state.failedInRow >= hopeless;
}

/** After a fault: a refused connection must not become a busy loop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => {});
}
