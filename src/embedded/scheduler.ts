import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../io/clock.ts';
import type { Log } from '../io/log.ts';
import type { Decoder, StepItem } from './decoder.ts';
import type { Generation, GenerationRequest } from './generation.ts';
import { endOf, planStep } from './generation.ts';
import type { EngineMetrics } from './metrics.ts';
import { observe } from './metrics.ts';
import type { Pieces } from './pieces.ts';
import type { Slot } from './slots.ts';
import { chooseSlot } from './slots.ts';
import { createTextStream } from './text-stream.ts';

export interface SchedulerOptions {
  readonly decoder: Decoder;
  readonly slots: number;
  /** Tokens a slot can hold. */
  readonly context: number;
  readonly batch: number;
  /** Prompt tokens in a step that also carries running answers. */
  readonly chunk: number;
  readonly queue: number;
  readonly pieces: Pieces;
  readonly isEnd: (token: number) => boolean;
  readonly metrics: EngineMetrics;
  readonly clock: Clock;
  readonly log: Log;
}

interface Waiting {
  readonly request: GenerationRequest;
  readonly arrivedAt: number;
}

/**
 * The step barrier: all running answers advance together, one token each per evaluation, so that every evaluation is a
 * full batch. While a step computes, the text of the step before is sent. One loop at most; it ends when idle.
 */
export class Scheduler {
  readonly slots: readonly Slot[];
  readonly #options: SchedulerOptions;
  readonly #waiting: Waiting[] = [];
  readonly #exclusives: (() => Promise<void>)[] = [];
  #running: Generation[] = [];
  #delivering: Generation[] = [];
  #loop: Promise<void> | null = null;
  #served = 0;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.slots = Array.from({ length: options.slots }, (_, id) => ({
      id,
      busy: false,
      tokens: [],
      lastUse: 0,
    }));
  }

  get running(): readonly Generation[] {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#loop) await this.#loop;
  }

  /** Queues all or none: false when the queue has no room, and then nothing is called. Prompts must be shorter than the context. */
  submit(requests: readonly GenerationRequest[]): boolean {
    const free = this.slots.filter((slot) => !slot.busy).length;
    if (this.#waiting.length + requests.length > free + this.#options.queue) {
      this.#options.metrics.requests.rejected += requests.length;
      return false;
    }
    for (const request of requests) {
      this.#waiting.push({ request, arrivedAt: this.#options.clock.now() });
    }
    // One listener for all choices of a request: they share its signal.
    for (const signal of new Set(requests.map((request) => request.signal)))
      signal.addEventListener('abort', () => requests.forEach((one) => this.#leaveQueue(one, signal)), {
        once: true,
      });
    this.#wake();
    return true;
  }

  #wake(): void {
    this.#loop ??= this.#run().finally(() => {
      this.#loop = null;
      if (this.#waiting.length + this.#exclusives.length > 0) this.#wake();
    });
  }

  async #run(): Promise<void> {
    // Requests that came in together are read in one turn of the event loop: let them share the first step.
    await nextTurn();
    for (;;) {
      for (const work of this.#exclusives.splice(0)) await work();
      await this.#admit();
      // A client may have left while its slot was made ready.
      this.#release();
      if (this.#running.length > 0) await this.#step();
      else if (this.#waiting.length === 0) break;
    }
    this.#deliver();
  }

  async #admit(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { request, arrivedAt } = this.#waiting[0] as Waiting;
      const choice = chooseSlot(this.slots, request.prompt, request.reuse);
      if (!choice) return;
      this.#waiting.shift();
      choice.slot.busy = true;
      const kept = await this.#options.decoder.forget(choice.slot.id, choice.kept);
      choice.slot.tokens.length = kept;
      choice.slot.lastUse = this.#served += 1;
      this.#running.push(this.#begin(request, choice.slot, kept, arrivedAt));
      // Neighbouring sequences in ascending order are evaluated together.
      this.#running.sort((a, b) => a.slot.id - b.slot.id);
    }
  }

  #begin(request: GenerationRequest, slot: Slot, kept: number, arrivedAt: number): Generation {
    this.#options.metrics.cachedTokens += kept;
    return {
      id: this.#served,
      request,
      slot,
      sampler: this.#options.decoder.sampler(request.sampling, request.prompt),
      text: createTextStream(request.stops),
      cachedTokens: kept,
      arrivedAt,
      startedAt: this.#options.clock.now(),
      position: kept,
      next: null,
      undelivered: null,
      outputTokens: 0,
      firstAt: 0,
      lastAt: 0,
      finish: request.signal.aborted ? 'aborted' : null,
      ended: false,
    };
  }

  async #step(): Promise<void> {
    const counts = planStep(this.#running, this.#options);
    const taking = this.#running.filter((_, i) => (counts[i] as number) > 0);
    const items = taking.map((generation) =>
      itemOf(generation, counts[this.#running.indexOf(generation)] as number),
    );
    const computing = this.#options.decoder.step(items);
    this.#deliver();
    try {
      const drawn = await computing;
      this.#options.metrics.decodes += 1;
      this.#options.metrics.busySlots += items.length;
      const now = this.#options.clock.now();
      taking.forEach((generation, i) =>
        this.#settle(generation, items[i] as StepItem, drawn[i] ?? null, now),
      );
    } catch (error) {
      await this.#failAll(error);
    }
    this.#release();
  }

  #settle(generation: Generation, item: StepItem, token: number | null, now: number): void {
    // Not spread: a prompt's chunk may be longer than an argument list can be.
    for (const evaluated of item.tokens) generation.slot.tokens.push(evaluated);
    generation.position += item.tokens.length;
    this.#options.metrics.longestSequence = Math.max(
      this.#options.metrics.longestSequence,
      generation.position,
    );
    if (generation.next === null) this.#options.metrics.promptTokens += item.tokens.length;
    if (generation.finish || token === null) return;
    this.#countToken(generation, now);
    generation.next = token;
    if (!this.#options.isEnd(token)) generation.undelivered = token;
    else if (!generation.request.ignoreEnd) generation.finish = 'stop';
    const full =
      generation.outputTokens >= generation.request.maxTokens || generation.position >= this.#options.context;
    if (full) generation.finish ??= 'length';
    this.#delivering.push(generation);
  }

  #countToken(generation: Generation, now: number): void {
    const { metrics } = this.#options;
    if (generation.outputTokens === 0) {
      generation.firstAt = now;
      metrics.promptSeconds += (now - generation.startedAt) / 1000;
      observe(metrics.ttft, (now - generation.arrivedAt) / 1000);
    } else {
      metrics.outputSeconds += (now - generation.lastAt) / 1000;
      observe(metrics.itl, (now - generation.lastAt) / 1000);
    }
    generation.outputTokens += 1;
    generation.lastAt = now;
    metrics.outputTokens += 1;
  }

  /** Sends what the last step gave, and the ends. A stop string found here ends the answer one evaluation late. */
  #deliver(): void {
    for (const generation of this.#delivering.splice(0)) {
      if (generation.ended) continue;
      const token = generation.undelivered;
      generation.undelivered = null;
      if (token !== null) {
        const { text, stopped } = generation.text.push(this.#options.pieces(token));
        if (stopped) generation.finish = 'stop';
        if (text) generation.request.onText(text);
      }
      if (generation.finish) this.#end(generation);
    }
  }

  #end(generation: Generation): void {
    if (generation.ended) return;
    const finish = generation.finish ?? 'aborted';
    const rest = finish === 'aborted' ? '' : generation.text.flush();
    if (rest) generation.request.onText(rest);
    generation.ended = true;
    this.#options.metrics.requests[finish] += 1;
    generation.request.onEnd(endOf(generation, finish));
  }

  /** Gives slots back whose answers are over or whose clients have left; never while a step runs. */
  #release(): void {
    const staying: Generation[] = [];
    for (const generation of this.#running) {
      if (!generation.finish && generation.request.signal.aborted) generation.finish = 'aborted';
      if (!generation.finish) {
        staying.push(generation);
        continue;
      }
      generation.slot.busy = false;
      generation.sampler[Symbol.dispose]();
      if (generation.finish === 'aborted') this.#end(generation);
    }
    this.#running = staying;
  }

  async #failAll(error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.error('An evaluation failed; all running answers end.', { reason });
    for (const generation of this.#running) {
      generation.finish = 'aborted';
      if (!generation.ended) {
        generation.ended = true;
        this.#options.metrics.requests.error += 1;
        generation.request.onEnd(endOf(generation, 'error', reason));
      }
      generation.slot.tokens.length = await this.#options.decoder
        .forget(generation.slot.id, 0)
        .catch(() => 0);
    }
  }

  #leaveQueue(request: GenerationRequest, signal: AbortSignal): void {
    const at = this.#waiting.findIndex((one) => one.request === request);
    if (at < 0 || request.signal !== signal) return;
    this.#waiting.splice(at, 1);
    this.#options.metrics.requests.aborted += 1;
    request.onEnd({
      finish: 'aborted',
      stop: null,
      promptTokens: request.prompt.length,
      cachedTokens: 0,
      outputTokens: 0,
      promptMs: 0,
      outputMs: 0,
    });
  }

  /** Runs something that needs the processor for itself, between two steps. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#exclusives.push(() => work().then(resolve, reject));
      this.#wake();
    });
  }
}

function itemOf(generation: Generation, count: number): StepItem {
  const { slot, position, request, next, sampler } = generation;
  if (next !== null) return { slot: slot.id, position, tokens: [next], sampler };
  const end = position + count;
  const last = end === request.prompt.length;
  return {
    slot: slot.id,
    position,
    tokens: request.prompt.slice(position, end),
    sampler: last ? sampler : null,
  };
}
