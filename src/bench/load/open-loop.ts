import type { Strategy } from '../../domain/load-shape.ts';
import { monotonicMicroseconds } from '../../io/clock.ts';
import { pace } from '../../io/pacer.ts';
import { seededRandom } from '../../stats/random.ts';
import { openSchedule } from './arrivals.ts';
import type { Drain } from './drain.ts';
import { conversationStarter } from './open-conversations.ts';
import type { Sender, StageInput, StagePorts } from './sender.ts';
import { scheduleOf } from './shards.ts';
import { stopReason } from './stage-state.ts';
import type { StageState } from './stage-state.ts';

/** Time for the pacing thread to start, so that the first requests are not late. */
const leadMicros = 200_000;

/**
 * Starts requests when the schedule says, whatever has become of those before: a slow server is not spared. A start that
 * would be one too many in flight is dropped and counted. With `talk` what starts is a conversation.
 */
export async function openLoop(
  strategy: Extract<Strategy, { kind: 'open' }>,
  input: StageInput,
  ports: StagePorts,
  live: { state: StageState; drain: Drain; signal: AbortSignal; sender: Sender },
): Promise<void> {
  const { state, drain, sender } = live;
  const random = seededRandom(input.spec.seed, input.index);
  const whole = openSchedule(strategy, input.spec, random, input.source.timed?.due);
  const schedule = scheduleOf(whole, input.spec.shard);
  const begin = ports.now() + leadMicros;
  const due = schedule.due.map((at) => begin + at);
  const trace = strategy.arrivals.process === 'trace' ? input.source.timed : undefined;
  const hopeless = new AbortController();
  const stop = AbortSignal.any([ports.signal, hopeless.signal]);
  const talk = strategy.talk && conversationStarter(strategy.talk, input, ports, { ...live, end: hopeless });
  const slots = createSlots();
  const sending = new Set<Promise<void>>();
  let started = 0;
  let underWay = 0;

  async function start(number: number): Promise<void> {
    const phase = number < schedule.warmup ? 'warmup' : 'measured';
    if ((talk ? underWay : state.inFlight) >= strategy.maxInFlight) {
      if (phase === 'measured') state.dropped += 1;
      return;
    }
    const stream = slots.take();
    underWay += 1;
    const scheduled = Math.round(due[number] as number);
    if (talk) await talk({ number, stream, due: scheduled, phase });
    else {
      // A request of a trace is sent with its own prompt, whichever others were dropped.
      const prompt = trace?.at(number, input.firstId);
      await sender.send({ stream, phase, scheduled, ...(prompt ? { prompt } : {}) });
    }
    underWay -= 1;
    slots.free(stream);
    if (stopReason(state, input.spec.limits)) hopeless.abort();
  }

  function onDue(passed: number): void {
    if (state.halt) hopeless.abort();
    for (; started < passed && !stop.aborted; started += 1) {
      const work = start(started).finally(() => sending.delete(work));
      sending.add(work);
    }
  }

  const origin = monotonicMicroseconds() - ports.now();
  await pace(
    due.map((at) => origin + at),
    onDue,
    stop,
  );
  // The limit ends conversations; of single requests the last one that was due is the end.
  if (talk) await Promise.all(sending);
  drain.begin();
  await Promise.all(sending);
}

/** Numbers for requests in flight, the lowest free one first, as a closed loop numbers its streams. */
function createSlots(): { take: () => number; free: (slot: number) => void } {
  const freed: number[] = [];
  let next = 0;
  return {
    take: () => freed.pop() ?? next++,
    free: (slot) => void freed.push(slot),
  };
}
